// What every store promises, on memory and on SQLite, with its thread and without: after any
// batches, and after being opened again, it holds what a Map would hold; a batch is there whole or
// not at all; and what was merged means what its parts mean one after another.

import fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Record, Write } from '../core/broker/record.ts'
import * as Bytes from '../core/data/bytes.ts'
import type { TopicName } from '../core/topic/name.ts'
import { Contradiction, keyOf, kinds, merge } from '../shells/common/store.ts'
import type { OpenStore, Store } from '../shells/common/store.ts'
import { isSound } from '../shells/store/library.ts'
import { createDisk, openMemory } from '../shells/store/memory.ts'
import type { Disk } from '../shells/store/memory.ts'
import { openSqlite } from '../shells/store/sqlite.ts'
import { isShortRun, leastOf, runs } from './gen/settings.ts'
import { openDirect, sqlite } from './store/direct.ts'
import { arms, commands, isIn, lines, nameOf, write } from './store/records.ts'
import type { Model } from './store/records.ts'
import { folder, left, loadAll, right, sweep } from './store/scratch.ts'

const disks = new Map<string, Disk>()

const openDisk: OpenStore = ({ folder }) => {
  const disk = disks.get(folder) ?? createDisk()
  disks.set(folder, disk)
  return openMemory(disk)
}

/** How often a property is run on each. */
const stores: ReadonlyArray<readonly [name: string, open: OpenStore, count: number]> = [
  ['memory', openDisk, 100],
  ['SQLite', openDirect, 60],
  ['SQLite in its thread', openSqlite, 3],
]

const laws = suite('store')

laws.after(sweep)

const history = commands(8, 12)

/** Any, but always the same. */
const one = <A>(arm: fc.Arbitrary<A>, seed: number): A =>
  fc.sample(arm, { seed, numRuns: runs(1) })[0]!

const message = (id: number, text: string): Record => {
  const arm = one(arms.message, id)
  return { ...arm, id, payload: Bytes.of(new TextEncoder().encode(text)) }
}

const put = (record: Record, isNew = true): Write => ({ _tag: 'Put', record, isNew })

const stampOf = (at: number) => ({ at, wall: 1_700_000_000_000 + at })

const fresh = async (open: OpenStore, path = folder()): Promise<Store> => {
  const store = right(await open({ folder: path }))
  right(await loadAll(store))
  return store
}

for (const [name, open, count] of stores) {
  laws(`${name}: holds what a Map holds, also when it is opened again`, async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat({ max: 8 }), async (batches, cut) => {
        const path = folder()
        let store = await fresh(open, path)
        const model: Model = new Map()
        let at = 0
        for (const batch of batches) {
          if (at === cut) {
            await store.close()
            store = await fresh(open, path)
          }
          at += 1
          const committed = await store.commit(stampOf(at), write(model, batch))
          assert.equal(committed, { _tag: 'Durable' })
        }
        await store.close()
        const again = right(await open({ folder: path }))
        const all = right(await loadAll(again))
        await again.close()
        assert.equal(lines(all.records), lines(model.values()))
        assert.is(all.recordCount, model.size)
        assert.equal(all.damaged, [])
        assert.equal(all.stamp, at === 0 ? { at: 0, wall: 0 } : stampOf(at))
      }),
      { numRuns: runs(count) },
    )
  })

  laws(`${name}: what was handed out first is the same when all has been`, async () => {
    const path = folder()
    const store = await fresh(open, path)
    // Several portions, payloads that share memory and such that do not, ids with gaps.
    const records = Array.from(
      { length: 4_000 },
      (_, i) =>
        message(1 + i + Math.floor(i / 3), `${i} `.repeat(i % 500 === 0 ? 2_000 : 1 + i % 90)),
    )
    for (const { id } of records.filter((each) => each.kind === 'message')) {
      records.push({ kind: 'retained', topic: `t/${id}` as TopicName, message: id })
    }
    const writes = records.map((each) => put(each))
    assert.equal(await store.commit(stampOf(1), writes), { _tag: 'Durable' })
    await store.close()
    const again = right(await open({ folder: path }))
    const all = right(await loadAll(again))
    await again.close()
    assert.equal(lines(all.records), lines(records))
    assert.equal(all.damaged, [])
  })

  laws(`${name}: keeps characters that no client may send`, async () => {
    const path = folder()
    const store = await fresh(open, path)
    const properties = { contentType: 'a\nb', userProperties: [['\u0085', '\uffff']] } as const
    const own: Record = { ...one(arms.message, 1), id: 1, properties }
    const retained: Record = { kind: 'retained', topic: own.topic, message: 1 }
    assert.equal(await store.commit(stampOf(1), [put(own), put(retained)]), { _tag: 'Durable' })
    await store.close()
    const again = right(await open({ folder: path }))
    const all = right(await loadAll(again))
    await again.close()
    assert.equal(lines(all.records), lines([own, retained]))
    assert.equal(all.damaged, [])
  })

  laws(`${name}: loads by kind, and outgoing by client and order`, async () => {
    const path = folder()
    const store = await fresh(open, path)
    const orders = [300, 2, 70_000, 1, 5_000_000_000]
    const records: Array<Record> = [one(arms.will, 1)]
    for (const clientId of ['b', 'a']) {
      for (const order of orders) {
        const arm = one(arms.outgoing, order)
        records.push({ ...arm, clientId, order, message: 9 })
      }
    }
    records.push(message(9, 'nine'), one(arms.session, 1))
    assert.equal(await store.commit(stampOf(1), records.map((each) => put(each))), {
      _tag: 'Durable',
    })
    await store.close()
    const again = right(await open({ folder: path }))
    const all = right(await loadAll(again))
    await again.close()
    assert.equal(all.records.map(({ kind }) => kinds.indexOf(kind)), [
      ...[0, 2],
      ...Array(10).fill(3),
      6,
    ])
    const outgoing = all.records.flatMap((each) =>
      each.kind === 'outgoing' ? [`${each.clientId} ${each.order}`] : []
    )
    orders.sort((one, other) => one - other)
    assert.equal(outgoing, ['a', 'b'].flatMap((id) => orders.map((order) => `${id} ${order}`)))
  })

  laws(`${name}: a batch that contradicts the records is thrown back whole`, async () => {
    const path = folder()
    const store = await fresh(open, path)
    await store.commit(stampOf(1), [put(message(1, 'one'))])
    const two = put(message(2, 'two'))
    const bad: ReadonlyArray<Write> = [
      put(message(1, 'again')),
      put(message(3, 'nobody'), false),
      { _tag: 'Delete', key: { kind: 'message', id: 3 } },
      { _tag: 'Forget', clientId: 'nobody' },
    ]
    for (const each of bad) {
      let thrown: unknown = null
      try {
        await store.commit(stampOf(2), [two, each])
      } catch (error) {
        thrown = error
      }
      assert.ok(thrown instanceof Contradiction, JSON.stringify(each._tag))
    }
    assert.equal(await store.commit(stampOf(3), [put(message(4, 'four'))]), { _tag: 'Durable' })
    await store.close()
    const again = right(await open({ folder: path }))
    const all = right(await loadAll(again))
    await again.close()
    assert.equal(lines(all.records), lines([message(1, 'one'), message(4, 'four')]))
  })

  laws(`${name}: has what was lent copied before it answers`, async () => {
    const path = folder()
    const store = await fresh(open, path)
    const record = message(1, 'as it was')
    const expected = lines([record])
    const committing = store.commit(stampOf(1), [put(record)])
    if (record.kind === 'message') record.payload.buffer.fill(0)
    await committing
    await store.close()
    const again = right(await open({ folder: path }))
    const all = right(await loadAll(again))
    await again.close()
    assert.equal(lines(all.records), expected)
  })

  laws(`${name}: belongs to one at a time`, async () => {
    const path = folder()
    const store = await fresh(open, path)
    assert.match(left(await open({ folder: path })), /in use/)
    await store.commit(stampOf(1), [put(message(1, 'one'))])
    assert.match(left(await open({ folder: path })), /in use/)
    await store.close()
    const again = await fresh(open, path)
    await again.close()
  })
}

laws('memory: full is for a while, broken for ever', async () => {
  const disk = createDisk()
  const store = right(await openMemory(disk))
  disk.state = 'full'
  assert.is((await store.commit(stampOf(1), [put(message(1, 'one'))]))._tag, 'Full')
  disk.state = 'sound'
  assert.is((await store.commit(stampOf(1), [put(message(1, 'one'))]))._tag, 'Durable')
  disk.state = 'broken'
  assert.is((await store.commit(stampOf(2), [put(message(2, 'two'))]))._tag, 'Broken')
  disk.state = 'sound'
  assert.is((await store.commit(stampOf(2), [put(message(2, 'two'))]))._tag, 'Broken')
  assert.is((await loadAll(store).then(right)).recordCount, 1)
})

laws('memory: is as slow as it is told to be', async () => {
  const disk = createDisk()
  let flushed = (): void => {}
  disk.flush = () => new Promise((resolve) => flushed = resolve)
  const store = right(await openMemory(disk))
  let settled = false
  const committing = store.commit(stampOf(1), [put(message(1, 'one'))]).then(() => settled = true)
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.is(settled, false)
  assert.is(disk.records.get('message')?.size, 0)
  flushed()
  await committing
  assert.is(disk.records.get('message')?.size, 1)
})

laws('merge() of batches does what they do one after another', () => {
  let forgotten = 0
  fc.assert(
    fc.property(commands(6, 10), commands(6, 10), (before, some) => {
      const model: Model = new Map()
      for (const batch of before) write(model, batch)
      const former = new Map(model)
      const batches = some.map((batch) => write(model, batch))
      const merged = merge(batches)
      // Applied to what was there before, strictly: the second definition.
      const names = new Set<string>()
      for (const each of merged) {
        if (each._tag !== 'Forget') continue
        forgotten += 1
        assert.ok(former.has(`session ${each.clientId}`), 'forgotten and not there')
        for (const [key, record] of former) if (isIn(record, each.clientId)) former.delete(key)
      }
      for (const each of merged) {
        if (each._tag === 'Forget') continue
        const key = each._tag === 'Put' ? nameOf(each.record) : nameOfKey(each)
        assert.not.ok(names.has(key), `two writes for ${key}`)
        names.add(key)
        const isThere = former.has(key)
        assert.is(each._tag === 'Put' ? !each.isNew : true, isThere, key)
        if (each._tag === 'Put') former.set(key, each.record)
        else former.delete(key)
      }
      assert.equal(lines(former.values()), lines(model.values()))
    }),
    { numRuns: runs(500) },
  )
  if (isShortRun(500)) return
  assert.ok(forgotten > leastOf(50, 500), `only ${forgotten} sessions were forgotten`)
})

const nameOfKey = (each: Extract<Write, { _tag: 'Delete' }>): string =>
  // A key has the fields of its record that the name is made of.
  nameOf(each.key as Record)

laws('merge() throws back what no broker would write', () => {
  const one = put(message(1, 'one'))
  const gone: Write = { _tag: 'Delete', key: keyOf(message(1, '')) }
  for (
    const batches of [[[one], [one]], [[gone], [gone]], [[gone], [put(message(1, ''), false)]]]
  ) {
    assert.throws(() => merge(batches), /message 1/)
  }
  assert.equal(merge([[one], [gone]]), [])
  assert.equal(merge([[gone], [one]]), [put(message(1, 'one'), false)])
})

// As that of Deno 2.5: the second session that was to be forgotten was not there, so it seemed.
laws('no store rests on a library that finds nothing when a statement is iterated again', () => {
  const library = (rounds: ReadonlyArray<ReadonlyArray<object>>): object => ({
    DatabaseSync: class {
      prepare(): object {
        const next = rounds.values()
        return { iterate: () => next.next().value ?? [] }
      }
      close(): void {}
    },
  })
  assert.not(isSound(library([[{}]])))
  assert.ok(isSound(library([[{}], [{}]])))
  assert.ok(isSound(sqlite))
  assert.not(isSound({}))
})

laws.run()
