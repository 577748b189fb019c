/*
 * The shape MIXED of load.c: many topics, sizes, kinds of subscriptions and two qualities of
 * service at once, while subscriptions come and go. 100 publishers draw from 100,000 topics
 * mixed/SITE/LINE/THING; 100 subscribers hold 3,300 subscriptions:
 *
 *    1,000 of a line      mixed/7/3/+ or mixed/7/3/#, by the first fifty subscribers
 *      100 of a thing     mixed/+/+/42, by the other fifty
 *    2,200 of one topic   never one that its subscriber gets already
 *
 * So each message goes to two subscribers, or to three. A change takes one subscription of one
 * topic away, or makes one on another topic. Nothing is published on that topic from before the
 * change until it is acknowledged, and so it is known of every message to whom it must go.
 *
 * Topic, size and QoS follow from the publisher and the number of the message. Order is checked for
 * the messages of one QoS between one publisher and one subscriber.
 */
#define SITES 100
#define LINES 10
#define THINGS 100
#define TOPICS (SITES * LINES * THINGS)
#define EXACTS 2200
#define MIXED_PUBLISHERS 100
#define MIXED_SUBSCRIBERS 100
#define HALF (MIXED_SUBSCRIBERS / 2)

struct mixedMessage {
  uint32_t number, topic;
  uint8_t owedCount, qos;
  int16_t receivers[3]; /* -1 where there is none, or where it has arrived */
};

enum exactStep { SUBSCRIBED, LEAVES, AWAITS_UNSUBACK, UNSUBSCRIBED, JOINS, AWAITS_SUBACK };

struct exact {
  enum exactStep step;
  int topic;
};

static struct mixedMessage *mixedMessages; /* by publisher, a ring each */
static struct exact exacts[EXACTS];
static int16_t *exactOf; /* by topic: the entry of `exacts` that covers it, or -1 */
static uint16_t *pendingOn; /* messages under way on a topic */
static uint8_t *isClosed;
static char (*topicTexts)[24]; /* the first byte is the length */
static int busyExacts[64], busyCount, nextExact;
static int64_t changeCount;
static double changesPerSecond = 100;

static uint32_t mix(uint32_t a, uint32_t b) {
  uint64_t x = ((uint64_t)a << 32 | b) + 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return (uint32_t)(x >> 32 ^ x);
}

/* 16 bytes to 16 KiB, each power of two as likely as the next. */
static size_t mixedBytes(uint32_t publisher, uint32_t number) {
  uint32_t chance = mix(number, publisher ^ 0x5bd1e995);
  uint32_t base = 16u << chance % 10;
  return base + (chance >> 8) % (base + 1);
}

static int lineOwner(int topic) { return topic / THINGS % HALF; }
static int thingOwner(int topic) { return HALF + topic % THINGS / 2; }

static int holdsAlready(int subscriber, int topic) {
  return lineOwner(topic) == subscriber || thingOwner(topic) == subscriber;
}

/* A topic on which the entry may subscribe: nobody's by name, and not its subscriber's already. */
static int freeTopic(int entry, uint32_t chance) {
  for (;; chance = mix(chance, 99)) {
    int topic = (int)(chance % TOPICS);
    if (exactOf[topic] < 0 && !isClosed[topic] && !holdsAlready(entry % MIXED_SUBSCRIBERS, topic))
      return topic;
  }
}

static void prepareMixed(void) {
  mixedMessages = allocate((size_t)publisherCount * (ringMask + 1), sizeof *mixedMessages);
  exactOf = allocate(TOPICS, sizeof *exactOf);
  pendingOn = allocate(TOPICS, sizeof *pendingOn);
  isClosed = allocate(TOPICS, 1);
  topicTexts = allocate(TOPICS, sizeof *topicTexts);
  for (int t = 0; t < TOPICS; t++) {
    exactOf[t] = -1;
    topicTexts[t][0] = (char)snprintf(topicTexts[t] + 1, 23, "mixed/%d/%d/%d", t / THINGS / LINES,
                                      t / THINGS % LINES, t % THINGS);
  }
  for (int e = 0; e < EXACTS; e++) {
    exacts[e].topic = freeTopic(e, mix((uint32_t)e, 12345));
    exactOf[exacts[e].topic] = (int16_t)e;
  }
}

static size_t putTopic(uint8_t *at, int topic) {
  size_t count = (size_t)topicTexts[topic][0];
  at[0] = 0;
  at[1] = (uint8_t)count;
  memcpy(at + 2, topicTexts[topic] + 1, count);
  return count + 2;
}

static size_t putRequest(uint8_t *at, const char *filter) {
  size_t count = putText(at, filter);
  at[count] = 1;
  return count + 1;
}

static void sendMixedFrame(struct connection *c, uint8_t header, const uint8_t *body,
                           size_t count) {
  uint8_t lengthBytes[4];
  size_t lengthCount = putLength(lengthBytes, count);
  uint8_t *frame = reserve(c, 1 + lengthCount + count);
  frame[0] = header;
  memcpy(frame + 1, lengthBytes, lengthCount);
  memcpy(frame + 1 + lengthCount, body, count);
}

/* Everything that a subscriber holds at the beginning, in one SUBSCRIBE. */
static void sendMixedSubscribe(struct connection *c) {
  uint8_t body[8192];
  char filter[64];
  size_t count = 2;
  body[0] = 0;
  body[1] = 1;
  if (level == 5) body[count++] = 0;
  for (int line = c->index; c->index < HALF && line < SITES * LINES; line += HALF) {
    snprintf(filter, sizeof filter, "mixed/%d/%d/%c", line / LINES, line % LINES,
             line / HALF % 2 ? '#' : '+');
    count += putRequest(body + count, filter);
  }
  for (int thing = 0; thing < THINGS; thing++) {
    if (thingOwner(thing) != c->index) continue;
    snprintf(filter, sizeof filter, "mixed/+/+/%d", thing);
    count += putRequest(body + count, filter);
  }
  for (int e = c->index; e < EXACTS; e += MIXED_SUBSCRIBERS) {
    count += putTopic(body + count, exacts[e].topic);
    body[count++] = 1;
  }
  sendMixedFrame(c, 0x82, body, count);
}

/* Answers whether there was room: none while an old message of this place is under way. */
static int sendMixedPublish(struct connection *c, struct publication *p) {
  struct mixedMessage *m = &mixedMessages[(size_t)c->index * (ringMask + 1) + (p->sent & ringMask)];
  if (m->owedCount) return 0;
  uint32_t chance = mix((uint32_t)c->index, p->sent), topic = chance % TOPICS;
  while (isClosed[topic]) topic = (topic + 1) % TOPICS;
  m->number = p->sent;
  m->topic = topic;
  m->qos = mix(chance, 5) % 5 == 0;
  m->receivers[0] = (int16_t)lineOwner((int)topic);
  m->receivers[1] = (int16_t)thingOwner((int)topic);
  m->receivers[2] = exactOf[topic] < 0 ? -1 : (int16_t)(exactOf[topic] % MIXED_SUBSCRIBERS);
  m->owedCount = (uint8_t)(exactOf[topic] < 0 ? 2 : 3);
  owedTotal += m->owedCount;
  pendingOn[topic]++;

  size_t bytes = mixedBytes((uint32_t)c->index, p->sent);
  size_t topicBytes = (size_t)topicTexts[topic][0] + 2, idBytes = m->qos ? 2 : 0;
  size_t length = topicBytes + idBytes + (level == 5 ? 1 : 0) + bytes;
  uint8_t lengthBytes[4];
  size_t lengthCount = putLength(lengthBytes, length);
  uint8_t *at = reserve(c, 1 + lengthCount + length);
  *at++ = (uint8_t)(0x30 | m->qos << 1);
  memcpy(at, lengthBytes, lengthCount);
  at += lengthCount;
  at += putTopic(at, (int)topic);
  if (m->qos) {
    uint16_t id = takeId(c, p, AWAITS_PUBACK);
    *at++ = (uint8_t)(id >> 8);
    *at++ = (uint8_t)id;
  }
  if (level == 5) *at++ = 0;
  struct stamp stamp = {sentAtNs, (uint32_t)c->index, p->sent};
  memcpy(at, &stamp, sizeof stamp);
  memcpy(at + sizeof stamp, pattern + (p->sent & 63), bytes - sizeof stamp);
  p->sent++;
  return 1;
}

static void onMixedPublish(struct connection *c, uint8_t header, const uint8_t *body, size_t count,
                           int64_t at) {
  int got = header >> 1 & 3;
  size_t topicBytes = (size_t)(body[0] << 8 | body[1]), payloadAt = 2 + topicBytes;
  uint16_t id = 0;
  if (got) {
    id = (uint16_t)(body[payloadAt] << 8 | body[payloadAt + 1]);
    payloadAt += 2;
  }
  if (level == 5 && body[payloadAt++]) fail("a PUBLISH came with properties nobody sent");
  struct stamp stamp;
  if (payloadAt + sizeof stamp > count) fail("a payload came with another size");
  memcpy(&stamp, body + payloadAt, sizeof stamp);
  if (stamp.publisher >= (uint32_t)publisherCount) fail("a payload came changed");
  struct mixedMessage *m =
    &mixedMessages[(size_t)stamp.publisher * (ringMask + 1) + (stamp.number & ringMask)];
  if (m->number != stamp.number || !m->owedCount)
    fail("message %u of publisher %u came to %s and to all before: delivered twice", stamp.number,
         stamp.publisher, nameOf(c));
  if ((header & 15) != m->qos << 1) fail("a PUBLISH came with the flags %d", header & 15);
  size_t bytes = mixedBytes(stamp.publisher, stamp.number);
  if (payloadAt + bytes != count) fail("a payload came with another size");
  if (memcmp(body + payloadAt + sizeof stamp, pattern + (stamp.number & 63), bytes - sizeof stamp))
    fail("a payload came changed");
  if (topicBytes != (size_t)topicTexts[m->topic][0] ||
      memcmp(body + 2, topicTexts[m->topic] + 1, topicBytes))
    fail("a message came with another topic");

  int place = 0;
  while (place < 3 && m->receivers[place] != c->index) place++;
  if (place == 3) fail("%s got message %u of publisher %u, which is not for it or came twice",
                       nameOf(c), stamp.number, stamp.publisher);
  m->receivers[place] = -1;
  uint32_t *next = &expected[((size_t)c->index * (size_t)publisherCount + stamp.publisher) * 2 +
                             m->qos];
  if (stamp.number < *next) fail("%s got message %u of publisher %u at QoS %d after number %u",
                                 nameOf(c), stamp.number, stamp.publisher, m->qos, *next - 1);
  *next = stamp.number + 1;
  deliveredCount++;
  if (isMeasuring) addLatency(at - stamp.sentAtNs);
  if (--m->owedCount == 0) {
    publications[stamp.publisher].completed++;
    pendingOn[m->topic]--;
    touch(&publishers[stamp.publisher]);
  }
  if (!got) return;
  if (id == 0) fail("a packet identifier is 0");
  sendAcknowledgement(c, 0x40, id);
}

/* ---- subscriptions that come and go ---------------------------------------------------------- */

static void sendChange(int entry, int isSubscribe) {
  uint8_t body[64];
  size_t count = 2;
  body[0] = (uint8_t)((entry + 2) >> 8);
  body[1] = (uint8_t)(entry + 2);
  if (level == 5) body[count++] = 0;
  count += putTopic(body + count, exacts[entry].topic);
  if (isSubscribe) body[count++] = 1;
  sendMixedFrame(&subscribers[entry % MIXED_SUBSCRIBERS], isSubscribe ? 0x82 : 0xa2, body, count);
}

/* A SUBACK or UNSUBACK after the first one of a subscriber. */
static void onChanged(struct connection *c, const uint8_t *body, size_t count, int isSubscribe) {
  int entry = (body[0] << 8 | body[1]) - 2;
  enum exactStep awaited = isSubscribe ? AWAITS_SUBACK : AWAITS_UNSUBACK;
  if (entry < 0 || entry >= EXACTS || exacts[entry].step != awaited ||
      entry % MIXED_SUBSCRIBERS != c->index)
    fail("%s got an unexpected %s", nameOf(c), isSubscribe ? "SUBACK" : "UNSUBACK");
  if (isSubscribe ? body[count - 1] != 1 : level == 5 && body[count - 1] != 0)
    fail("a change of a subscription was answered with %d", body[count - 1]);
  isClosed[exacts[entry].topic] = 0;
  exactOf[exacts[entry].topic] = (int16_t)(isSubscribe ? entry : -1);
  exacts[entry].step = isSubscribe ? SUBSCRIBED : UNSUBSCRIBED;
  changeCount++;
}

static void beginChange(int entry) {
  struct exact *x = &exacts[entry];
  if (x->step == UNSUBSCRIBED) {
    x->topic = freeTopic(entry, mix((uint32_t)changeCount, (uint32_t)entry));
    x->step = JOINS;
  } else x->step = LEAVES;
  isClosed[x->topic] = 1;
  busyExacts[busyCount++] = entry;
}

/* Begins what is due by now, and goes on with what was begun. An entry leaves, then it joins. */
static void makeChanges(int64_t due) {
  static int64_t begun;
  for (; begun < due && busyCount < 64; begun++) {
    int entry = nextExact % EXACTS;
    if (begun % 2 && exacts[entry].step != UNSUBSCRIBED) break;
    beginChange(entry);
    if (begun % 2) nextExact++;
  }
  for (int i = 0; i < busyCount; i++) {
    struct exact *x = &exacts[busyExacts[i]];
    if ((x->step == LEAVES || x->step == JOINS) && pendingOn[x->topic] == 0) {
      sendChange(busyExacts[i], x->step == JOINS);
      x->step = x->step == JOINS ? AWAITS_SUBACK : AWAITS_UNSUBACK;
    } else if (x->step == SUBSCRIBED || x->step == UNSUBSCRIBED) {
      busyExacts[i--] = busyExacts[--busyCount];
    }
  }
}
