// For the editor and `deno lint`: the bans of core, underlined while one types. The rule that counts is
// in rules.ts; this one sees the same names without knowing scopes or types.

const banned = new Set([
  'Date',
  'globalThis',
  'console',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'performance',
  'TextDecoder',
  'TextEncoder',
  'process',
  'Deno',
  'Buffer',
  'crypto',
  'fetch',
])

const inCore = (context) => context.filename.replaceAll('\\', '/').includes('/core/')

/** @type {Deno.lint.Plugin} */
export default {
  name: 'purity',
  rules: {
    'pure-core': {
      create(context) {
        if (!inCore(context)) return {}
        return {
          Identifier(node) {
            const { parent } = node
            const isKey = (parent.type === 'MemberExpression' && parent.property === node) ||
              (parent.type === 'Property' && parent.key === node)
            if (banned.has(node.name) && !isKey) {
              context.report({ node, message: `core knows no ${node.name}` })
            }
          },
          MemberExpression(node) {
            if (node.object.name === 'Math' && node.property.name === 'random') {
              context.report({ node, message: 'core throws no dice' })
            }
          },
        }
      },
    },
  },
}
