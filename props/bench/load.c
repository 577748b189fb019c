/*
 * The load of the bench: one process, one thread, that plays every publisher and every subscriber,
 * checks each delivery, and reports what the broker did for the CPU time it used.
 *
 * The loop is closed: a publisher has at most WINDOW messages that are not yet delivered to every
 * subscriber (and, above QoS 0, acknowledged). No broker is ever asked to drop anything, so a
 * message that is lost, doubled, out of order or changed is a failure and ends the run with a
 * sentence. With --rate the loop is open instead: so many messages a second, whatever comes back.
 *
 * The broker's CPU time is that of the process given by --pid and of all its descendants, with all
 * their threads. The result is one line of JSON on standard output; a failure is {"error": "..."}
 * and status 1.
 */
#include "common.h"
#include "probe.h"
#include <sched.h>

/* ---- what was asked for ---------------------------------------------------------------------- */

/* PAIRS: publisher i to subscriber i. FAN_OUT: every subscriber gets everything on one topic.
   FAN_IN: every subscriber gets everything through the filter "bench/in/#".
   MIXED: see mixed.h. */
enum shape { PAIRS, FAN_OUT, FAN_IN, MIXED };

static int qos = 0, window = 200;
static int publisherCount = 50, subscriberCount = 50;
static enum shape shape = PAIRS;
static size_t payloadBytes = 64;
static double warmSeconds = 0.5, measureSeconds = 2, ratePerSecond = 0;

/* ---- latency: a histogram with 64 buckets per power of two, so about 1.5 % wide -------------- */

#define BUCKETS (64 * 60)
static int64_t latencies[BUCKETS], latencyCount, latencyMaxNs;

static void addLatency(int64_t ns) {
  uint64_t value = ns < 0 ? 0 : (uint64_t)ns;
  int shift = value < 64 ? 0 : 57 - __builtin_clzll(value); /* the top seven bits are kept */
  latencies[shift * 64 + (int)(value >> shift)]++;
  latencyCount++;
  if (ns > latencyMaxNs) latencyMaxNs = ns;
}

static double latencyUs(double share) {
  int64_t wanted = (int64_t)((double)latencyCount * share), seen = 0;
  for (int i = 0; i < BUCKETS; i++) {
    seen += latencies[i];
    if (seen <= wanted) continue;
    int shift = i < 128 ? 0 : i / 64 - 1;
    return (double)((uint64_t)(i - shift * 64) << shift) / 1000;
  }
  return 0;
}

/* ---- connections ----------------------------------------------------------------------------- */

/* Where the handshake of a packet identifier stands; one byte per identifier and connection. */
enum step { FREE, AWAITS_PUBACK, AWAITS_PUBREC, AWAITS_PUBCOMP, AWAITS_PUBREL };

struct connection {
  int fd, index;
  char isPublisher, isReady, isBlocked, isTouched;
  uint8_t *output; /* [outputStart, outputEnd) is still to be written */
  size_t outputStart, outputEnd, outputSize;
  uint8_t *tail; /* the first bytes of a packet whose rest has not come yet */
  size_t tailBytes, tailSize;
  size_t wholeBytes; /* of a large packet, which is read into the tail to its end; else 0 */
  uint8_t *steps;
};

/* A stream of numbered messages. They reach each subscriber in order, so they are completed in
   order too, and a ring tells how many subscribers each of the latest is still owed to. */
struct publication {
  uint8_t *frame; /* header, topic and the place of the packet identifier, made once */
  size_t frameBytes, topicBytes, idAt, payloadAt;
  uint16_t lastId;
  uint32_t sent, completed, sentAbove0, acknowledged;
  uint32_t *owed;
};

static struct connection *connections, *subscribers, *publishers;
static struct publication *publications;
static int connectionCount, readyCount, receiversPerMessage, epoll, isPumping;
static uint32_t ringMask;
static uint32_t *expected; /* next number by subscriber and publisher */
static int64_t deliveredCount, owedTotal, sentAtNs;
static int isMeasuring;

static struct connection **touched; /* those to look after at the end of this turn of the loop */
static int touchedCount;

static void touch(struct connection *c) {
  if (c->isTouched) return;
  c->isTouched = 1;
  touched[touchedCount++] = c;
}

static const char *nameOf(const struct connection *c) {
  static char text[64];
  snprintf(text, sizeof text, "%s %d", c->isPublisher ? "publisher" : "subscriber", c->index);
  return text;
}

static void watch(struct connection *c, int alsoWritable) {
  struct epoll_event event = {.events = EPOLLIN | (alsoWritable ? EPOLLOUT : 0), .data.ptr = c};
  epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
  c->isBlocked = (char)alsoWritable;
}

/* Room for `count` more bytes of output; the caller fills them. */
static uint8_t *reserve(struct connection *c, size_t count) {
  if (c->outputEnd + count > c->outputSize) {
    size_t waiting = c->outputEnd - c->outputStart;
    if (c->outputStart) memmove(c->output, c->output + c->outputStart, waiting);
    c->outputStart = 0;
    c->outputEnd = waiting;
    if (c->outputSize == 0) c->outputSize = 4096;
    while (waiting + count > c->outputSize) c->outputSize *= 2;
    c->output = realloc(c->output, c->outputSize);
    if (!c->output) fail("the load generator is out of memory");
  }
  uint8_t *room = c->output + c->outputEnd;
  c->outputEnd += count;
  touch(c);
  return room;
}

static void flush(struct connection *c) {
  while (c->outputStart < c->outputEnd) {
    ssize_t count = write(c->fd, c->output + c->outputStart, c->outputEnd - c->outputStart);
    if (count < 0) {
      if (errno != EAGAIN) fail("writing to the broker as %s: %s", nameOf(c), strerror(errno));
      if (!c->isBlocked) watch(c, 1);
      return;
    }
    c->outputStart += (size_t)count;
  }
  c->outputStart = c->outputEnd = 0;
  if (c->isBlocked) watch(c, 0);
}

/* ---- packets out ----------------------------------------------------------------------------- */

static size_t putLength(uint8_t *at, size_t value) {
  size_t count = 0;
  do {
    at[count] = value & 127;
    value >>= 7;
    if (value) at[count] |= 128;
    count++;
  } while (value);
  return count;
}

static size_t putText(uint8_t *at, const char *text) {
  size_t count = strlen(text);
  at[0] = (uint8_t)(count >> 8);
  at[1] = (uint8_t)count;
  memcpy(at + 2, text, count);
  return count + 2;
}

static void topicOf(int publisher, char *text, size_t size) {
  if (shape == PAIRS) snprintf(text, size, "bench/pair/%d/data", publisher);
  if (shape == FAN_OUT) snprintf(text, size, "bench/fan/%d/out", publisher);
  if (shape == FAN_IN) snprintf(text, size, "bench/in/%d/data", publisher);
}

static void sendConnect(struct connection *c) {
  uint8_t body[128];
  char clientId[32];
  size_t count = putText(body, "MQTT");
  body[count++] = (uint8_t)level;
  body[count++] = 2; /* clean session */
  body[count++] = 0;
  body[count++] = 60; /* keep alive */
  if (level == 5) body[count++] = 0;
  snprintf(clientId, sizeof clientId, "bench-%c%d", c->isPublisher ? 'p' : 's', c->index);
  count += putText(body + count, clientId);
  uint8_t *frame = reserve(c, count + 2);
  frame[0] = 0x10;
  frame[1] = (uint8_t)count;
  memcpy(frame + 2, body, count);
}

static void sendSubscribe(struct connection *c) {
  uint8_t body[128];
  char filter[64];
  size_t count = 0;
  if (shape == PAIRS) topicOf(c->index, filter, sizeof filter);
  if (shape == FAN_OUT) snprintf(filter, sizeof filter, publisherCount == 1 ? "bench/fan/0/out" :
                                 "bench/fan/+/out");
  if (shape == FAN_IN) snprintf(filter, sizeof filter, "bench/in/#");
  body[count++] = 0;
  body[count++] = 1;
  if (level == 5) body[count++] = 0;
  count += putText(body + count, filter);
  body[count++] = (uint8_t)qos;
  uint8_t *frame = reserve(c, count + 2);
  frame[0] = 0x82;
  frame[1] = (uint8_t)count;
  memcpy(frame + 2, body, count);
}

static void sendAcknowledgement(struct connection *c, uint8_t header, uint16_t id) {
  uint8_t *frame = reserve(c, 4);
  frame[0] = header;
  frame[1] = 2;
  frame[2] = (uint8_t)(id >> 8);
  frame[3] = (uint8_t)id;
}

/* A payload is this stamp and then bytes that follow from the number of the message. */
struct stamp {
  int64_t sentAtNs;
  uint32_t publisher, number;
};

static uint8_t *pattern;

static void makePattern(void) {
  pattern = allocate(payloadBytes + 64, 1);
  for (size_t i = 0; i < payloadBytes + 64; i++) pattern[i] = (uint8_t)(i * 131 + (i >> 8) + 7);
}

static void makePublication(struct publication *p, int index) {
  char topic[64];
  topicOf(index, topic, sizeof topic);
  size_t overhead = 2 + strlen(topic) + (qos ? 2 : 0) + (level == 5 ? 1 : 0);
  p->frame = allocate(1, overhead + 8);
  p->frame[0] = (uint8_t)(0x30 | qos << 1);
  size_t at = 1 + putLength(p->frame + 1, overhead + payloadBytes);
  p->topicBytes = strlen(topic);
  at += putText(p->frame + at, topic);
  p->idAt = at;
  if (qos) at += 2;
  if (level == 5) p->frame[at++] = 0; /* no properties */
  p->payloadAt = at;
  p->frameBytes = at + payloadBytes;
  p->owed = allocate(ringMask + 1, sizeof *p->owed);
}

/* The next packet identifier that is free. */
static uint16_t takeId(struct connection *c, struct publication *p, enum step step) {
  do if (!++p->lastId) p->lastId = 1;
  while (c->steps[p->lastId] != FREE);
  c->steps[p->lastId] = (uint8_t)step;
  p->sentAbove0++;
  return p->lastId;
}

static void sendPublish(struct connection *c, struct publication *p) {
  uint8_t *frame = reserve(c, p->frameBytes);
  memcpy(frame, p->frame, p->payloadAt);
  if (qos) {
    uint16_t id = takeId(c, p, qos == 1 ? AWAITS_PUBACK : AWAITS_PUBREC);
    frame[p->idAt] = (uint8_t)(id >> 8);
    frame[p->idAt + 1] = (uint8_t)id;
  }
  struct stamp stamp = {sentAtNs, (uint32_t)c->index, p->sent};
  memcpy(frame + p->payloadAt, &stamp, sizeof stamp);
  memcpy(frame + p->payloadAt + sizeof stamp, pattern + (p->sent & 63),
         payloadBytes - sizeof stamp);
  p->owed[p->sent & ringMask] = (uint32_t)receiversPerMessage;
  owedTotal += receiversPerMessage;
  p->sent++;
}

static uint32_t outstanding(const struct publication *p) {
  uint32_t undelivered = p->sent - p->completed;
  uint32_t unacknowledged = p->sentAbove0 - p->acknowledged;
  return undelivered > unacknowledged ? undelivered : unacknowledged;
}

#include "mixed.h"

/* Sends what the window allows. */
static void pump(struct connection *c) {
  struct publication *p = &publications[c->index];
  uint32_t open = (uint32_t)window - outstanding(p);
  if (open == 0) return;
  sentAtNs = nowNs();
  for (; open > 0; open--) {
    if (shape != MIXED) sendPublish(c, p);
    else if (!sendMixedPublish(c, p)) return;
  }
}

/* ---- packets in ------------------------------------------------------------------------------ */

/* The bytes of an MQTT 5 property by its identifier: 1, 2 or 4, 'v' for a variable integer, 's' for
   length and text, 'p' for a pair of them. */
static char propertyType(uint8_t id) {
  switch (id) {
    case 0x01: case 0x17: case 0x19: case 0x24: case 0x25: case 0x28: case 0x29: case 0x2a:
      return 1;
    case 0x13: case 0x21: case 0x22: case 0x23: return 2;
    case 0x02: case 0x11: case 0x18: case 0x27: return 4;
    case 0x0b: return 'v';
    case 0x26: return 'p';
    default: return 's';
  }
}

/* Receive Maximum in the properties of a CONNACK; 65535 when it is not said. */
static int receiveMaximumIn(const uint8_t *at, const uint8_t *end) {
  if (at < end && *at < 128) at++; /* a CONNACK with 128 bytes of properties is none of ours */
  while (at + 2 < end) {
    uint8_t id = *at++;
    char type = propertyType(id);
    if (id == 0x21) return at[0] << 8 | at[1];
    if (type == 'v') { while (at < end && (*at++ & 128)); }
    else if (type == 's' || type == 'p') {
      at += 2 + (at[0] << 8 | at[1]);
      if (type == 'p' && at + 2 <= end) at += 2 + (at[0] << 8 | at[1]);
    } else at += type;
  }
  return 65535;
}

static void onConnack(struct connection *c, const uint8_t *body, size_t count) {
  if (count < 2 || body[1]) fail("the broker refused %s, code %d", nameOf(c), body[1]);
  if (level == 5 && (qos || shape == MIXED) && c->isPublisher) {
    int allowed = receiveMaximumIn(body + 2, body + count);
    if (allowed < window) window = allowed;
  }
  if (c->isPublisher) { c->isReady = 1; readyCount++; }
  else if (shape == MIXED) sendMixedSubscribe(c);
  else sendSubscribe(c);
}

static void onSuback(struct connection *c, const uint8_t *body, size_t count) {
  if (shape == MIXED && c->isReady) {
    onChanged(c, body, count, 1);
    return;
  }
  if (c->isPublisher || c->isReady) fail("unexpected SUBACK to %s", nameOf(c));
  for (size_t i = level == 5 ? 3 : 2; i < count; i++) {
    int wanted = shape == MIXED ? 1 : qos;
    if (body[i] != wanted) fail("QoS %d asked for, %d granted", wanted, body[i]);
  }
  c->isReady = 1;
  readyCount++;
}

/* Whose message this is, which, and that topic, size and payload are what was sent. */
static void onPublish(struct connection *c, uint8_t header, const uint8_t *body, size_t count,
                      int64_t at) {
  if (c->isPublisher) fail("PUBLISH to %s", nameOf(c));
  if (shape == MIXED) {
    onMixedPublish(c, header, body, count, at);
    return;
  }
  if ((header & 15) != qos << 1)
    fail("a PUBLISH of QoS %d came with the flags %d", qos, header & 15);
  size_t topicBytes = (size_t)(body[0] << 8 | body[1]), payloadAt = 2 + topicBytes;
  uint16_t id = 0;
  if (qos) {
    id = (uint16_t)(body[payloadAt] << 8 | body[payloadAt + 1]);
    payloadAt += 2;
  }
  if (level == 5 && body[payloadAt++]) fail("a PUBLISH came with properties nobody sent");
  if (payloadAt + payloadBytes != count) fail("a payload came with another size");

  struct stamp stamp;
  memcpy(&stamp, body + payloadAt, sizeof stamp);
  if (stamp.publisher >= (uint32_t)publisherCount) fail("a payload came changed");
  struct publication *p = &publications[stamp.publisher];
  if (memcmp(body + payloadAt + sizeof stamp, pattern + (stamp.number & 63),
             payloadBytes - sizeof stamp)) fail("a payload came changed");
  if (topicBytes != p->topicBytes || memcmp(body + 2, p->frame + p->idAt - topicBytes, topicBytes))
    fail("a message came with another topic");
  if (shape == PAIRS && stamp.publisher != (uint32_t)c->index)
    fail("%s got a message of publisher %u", nameOf(c), stamp.publisher);

  uint32_t *next = &expected[(size_t)c->index * (size_t)publisherCount + stamp.publisher];
  if (stamp.number != *next)
    fail("%s got message %u of publisher %u where %u was due: %s", nameOf(c), stamp.number,
         stamp.publisher, *next, stamp.number < *next ? "delivered twice or late" :
         "one is lost or overtaken");
  ++*next;
  deliveredCount++;
  if (isMeasuring) addLatency(at - stamp.sentAtNs);
  if (--p->owed[stamp.number & ringMask] == 0) {
    p->completed++;
    touch(&publishers[stamp.publisher]);
  }

  if (qos == 0) return;
  if (c->steps[id] != FREE || id == 0) fail("packet identifier %d is in use or 0", id);
  if (qos == 2) c->steps[id] = AWAITS_PUBREL;
  sendAcknowledgement(c, qos == 1 ? 0x40 : 0x50, id);
}

/* PUBACK, PUBREC, PUBREL and PUBCOMP: each only for an identifier that waits for it. */
static void onAcknowledgement(struct connection *c, uint8_t header, const uint8_t *body,
                              size_t count) {
  static const uint8_t awaited[8] = {0, 0, 0, 0, AWAITS_PUBACK, AWAITS_PUBREC, AWAITS_PUBREL,
                                     AWAITS_PUBCOMP};
  uint16_t id = (uint16_t)(body[0] << 8 | body[1]);
  int type = header >> 4;
  if (!c->steps || c->steps[id] != awaited[type])
    fail("%s got packet type %d for identifier %d, which waits for none", nameOf(c), type, id);
  if (count > 2 && body[2] >= 0x80) fail("the broker refused a message, reason %d", body[2]);
  if (type == 5) {
    c->steps[id] = AWAITS_PUBCOMP;
    sendAcknowledgement(c, 0x62, id);
    return;
  }
  c->steps[id] = FREE;
  if (type == 6) {
    sendAcknowledgement(c, 0x70, id);
    return;
  }
  publications[c->index].acknowledged++;
  touch(c);
}

static void onPacket(struct connection *c, uint8_t header, const uint8_t *body, size_t count,
                     int64_t at) {
  switch (header >> 4) {
    case 2: onConnack(c, body, count); break;
    case 3: onPublish(c, header, body, count, at); break;
    case 4: case 5: case 6: case 7: onAcknowledgement(c, header, body, count); break;
    case 9: onSuback(c, body, count); break;
    case 11: onChanged(c, body, count, 0); break;
    case 14: fail("the broker sent DISCONNECT to %s, reason %d", nameOf(c), count ? body[0] : 0);
    default: fail("unexpected packet type %d to %s", header >> 4, nameOf(c));
  }
}

/* All connections read into one buffer, which stays in the processor's cache; only the beginning of
   an unfinished packet is kept by its connection. */
static uint8_t *input;
static size_t inputSize;

static void keepTail(struct connection *c, const uint8_t *bytes, size_t count, size_t whole) {
  size_t room = whole > count ? whole : count;
  if (room > c->tailSize) {
    c->tailSize = room < 256 ? 256 : room;
    free(c->tail);
    c->tail = allocate(c->tailSize, 1);
  }
  memcpy(c->tail, bytes, count);
  c->tailBytes = count;
  c->wholeBytes = whole;
}

/* The rest of a large packet goes where its beginning is, so that it is copied once. */
static void receiveLarge(struct connection *c) {
  ssize_t count = read(c->fd, c->tail + c->tailBytes, c->wholeBytes - c->tailBytes);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) fail("the broker closed the connection of %s", nameOf(c));
  c->tailBytes += (size_t)count;
  if (c->tailBytes < c->wholeBytes) return;
  size_t bodyAt = 1, whole = c->wholeBytes;
  while (c->tail[bodyAt++] & 128) continue;
  c->tailBytes = c->wholeBytes = 0;
  onPacket(c, c->tail[0], c->tail + bodyAt, whole - bodyAt, nowNs());
}

static void receive(struct connection *c) {
  if (c->wholeBytes) {
    receiveLarge(c);
    return;
  }
  size_t end = c->tailBytes, start = 0, whole = 0;
  if (end) memcpy(input, c->tail, end);
  ssize_t count = read(c->fd, input + end, inputSize - end);
  if (count < 0 && errno == EAGAIN) return;
  if (count < 0) fail("reading from the broker as %s: %s", nameOf(c), strerror(errno));
  if (count == 0) fail("the broker closed the connection of %s", nameOf(c));
  end += (size_t)count;
  int64_t at = nowNs();
  while (end - start >= 2) {
    size_t length = 0, bodyAt = start + 1;
    int shift = 0, isWhole = 0;
    while (bodyAt < end && shift < 28) {
      uint8_t byte = input[bodyAt++];
      length |= (size_t)(byte & 127) << shift;
      shift += 7;
      if (byte < 128) { isWhole = 1; break; }
    }
    if (isWhole && length > 65536) whole = bodyAt - start + length;
    if (!isWhole || end - bodyAt < length) break;
    whole = 0;
    onPacket(c, input[start], input + bodyAt, length, at);
    start = bodyAt + length;
  }
  if (end > start) keepTail(c, input + start, end - start, whole);
  else c->tailBytes = 0;
}

/* ---- the run --------------------------------------------------------------------------------- */

static void dial(struct connection *c) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  int yes = 1;
  if (!inet_aton(host, &address.sin_addr)) fail("no address: %s", host);
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0) fail("socket: %s", strerror(errno));
  if (connect(c->fd, (struct sockaddr *)&address, sizeof address))
    fail("connecting to %s port %d: %s", host, port, strerror(errno));
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
  sendConnect(c);
}

/* One turn: everything that can be read, then one write per connection. */
static void turn(int64_t waitNs) {
  static struct epoll_event events[1024];
  struct timespec wait = {waitNs / 1000000000, waitNs % 1000000000};
  int count = epoll_pwait2(epoll, events, 1024, &wait, 0);
  for (int i = 0; i < count; i++) {
    struct connection *c = events[i].data.ptr;
    if (events[i].events & EPOLLOUT) touch(c);
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(c);
  }
  for (int i = 0; i < touchedCount; i++) {
    struct connection *c = touched[i];
    if (isPumping && c->isPublisher) pump(c);
    c->isTouched = 0;
    flush(c);
  }
  touchedCount = 0;
}

static void connectAll(void) {
  int64_t giveUpNs = nowNs() + 10 * 1000000000LL;
  int openedCount = 0;
  while (readyCount < connectionCount) {
    if (nowNs() > giveUpNs) fail("only %d of %d clients got ready", readyCount, connectionCount);
    /* A few at a time, so that no broker's backlog is the subject. */
    while (openedCount < connectionCount && openedCount - readyCount < 32)
      dial(&connections[openedCount++]);
    turn(10000000);
  }
}

static int64_t sentTotal(void) {
  int64_t sum = 0;
  for (int i = 0; i < publisherCount; i++) sum += publications[i].sent;
  return sum;
}

static int64_t outstandingTotal(void) {
  int64_t sum = 0;
  for (int i = 0; i < publisherCount; i++) sum += outstanding(&publications[i]);
  return sum;
}

/* Open loop: publishes what is due by now, the publishers taking turns. */
static void publishDue(int64_t startNs, int64_t *paid) {
  static int turnOf;
  int64_t due = (int64_t)((double)(nowNs() - startNs) * 1e-9 * ratePerSecond);
  sentAtNs = nowNs();
  for (; *paid < due; ++*paid) {
    struct publication *p = &publications[turnOf];
    if (outstanding(p) >= ringMask) fail("the broker does not keep up with the rate");
    if (shape != MIXED) sendPublish(&publishers[turnOf], p);
    else if (!sendMixedPublish(&publishers[turnOf], p))
      fail("the broker does not keep up with the rate");
    turnOf = (turnOf + 1) % publisherCount;
  }
}

static void runUntil(int64_t endNs, int64_t startNs, int64_t *paid) {
  int64_t nextNs = (int64_t)(ratePerSecond ? 1e9 / ratePerSecond : 1e7);
  if (nextNs > 10000000) nextNs = 10000000;
  while (nowNs() < endNs) {
    if (ratePerSecond) publishDue(startNs, paid);
    if (shape == MIXED)
      makeChanges((int64_t)((double)(nowNs() - startNs) * 1e-9 * changesPerSecond));
    turn(nextNs);
  }
}

/* Nothing more is published; everything under way must come, and nothing must come twice. */
static void drain(void) {
  int64_t giveUpNs = nowNs() + 5 * 1000000000LL;
  isPumping = 0;
  while ((outstandingTotal() > 0 || busyCount > 0) && nowNs() < giveUpNs) {
    if (busyCount > 0) makeChanges(0);
    turn(1000000);
  }
  int64_t missing = owedTotal - deliveredCount;
  if (missing) fail("%lld deliveries of %lld are missing", (long long)missing,
                    (long long)owedTotal);
  if (busyCount) fail("%d changes of subscriptions were not acknowledged", busyCount);
  if (outstandingTotal()) fail("%lld messages were delivered but never acknowledged",
                               (long long)outstandingTotal());
  for (int64_t quietNs = nowNs() + 50000000; nowNs() < quietNs;) turn(10000000);
  for (int i = 0; i < connectionCount; i++) {
    uint8_t *frame = reserve(&connections[i], 2);
    frame[0] = 0xe0;
    frame[1] = 0;
    flush(&connections[i]);
  }
}

struct reading {
  int64_t atNs, delivered, sent, changes, broker, own, machine;
};

static struct reading takeReading(void) {
  struct reading r = {nowNs(), deliveredCount, sentTotal(), changeCount, brokerCpuNs(), ownCpuNs(),
                      machineBusyNs()};
  return r;
}

static void report(struct reading a, struct reading b, long residentKib) {
  double seconds = (double)(b.atNs - a.atNs) * 1e-9;
  double broker = (double)(b.broker - a.broker) * 1e-9, own = (double)(b.own - a.own) * 1e-9;
  double others = (double)(b.machine - a.machine) * 1e-9 - broker - own;
  double delivered = (double)(b.delivered - a.delivered);
  printf("{\"seconds\":%.3f,\"published\":%lld,\"delivered\":%lld,\"window\":%d,", seconds,
         (long long)sentTotal(), (long long)deliveredCount, window);
  printf("\"publishedPerS\":%.0f,\"deliveredPerS\":%.0f,\"deliveredPerCpuS\":%.0f,",
         (double)(b.sent - a.sent) / seconds, delivered / seconds,
         broker > 0 ? delivered / broker : 0);
  printf("\"p50Us\":%.1f,\"p99Us\":%.1f,\"p999Us\":%.1f,\"maxUs\":%.1f,", latencyUs(0.5),
         latencyUs(0.99), latencyUs(0.999), (double)latencyMaxNs / 1000);
  printf("\"gapUs\":%.1f,\"changesPerS\":%.1f,", longestGapUs(),
         (double)(b.changes - a.changes) / seconds);
  printf("\"brokerCpu\":%.3f,\"loadCpu\":%.3f,\"othersCpu\":%.3f,\"residentKib\":%ld}\n",
         broker / seconds, own / seconds, others > 0 ? others / seconds : 0, residentKib);
}

static void parseOptions(int count, char **texts) {
  static const struct option table[] = {
    {"host", 1, 0, 'h'}, {"port", 1, 0, 'p'}, {"shape", 1, 0, 'm'}, {"publishers", 1, 0, 'P'},
    {"subscribers", 1, 0, 'S'}, {"qos", 1, 0, 'q'}, {"level", 1, 0, 'l'}, {"bytes", 1, 0, 'b'},
    {"window", 1, 0, 'w'}, {"warm", 1, 0, 'W'}, {"seconds", 1, 0, 's'}, {"rate", 1, 0, 'r'},
    {"pid", 1, 0, 'k'}, {"probe", 1, 0, 'g'}, {0, 0, 0, 0},
  };
  for (int letter; (letter = getopt_long(count, texts, "", table, 0)) != -1;) {
    switch (letter) {
      case 'h': host = optarg; break;
      case 'p': port = atoi(optarg); break;
      case 'm':
        if (!strcmp(optarg, "pairs")) shape = PAIRS;
        else if (!strcmp(optarg, "fan-out")) shape = FAN_OUT;
        else if (!strcmp(optarg, "fan-in")) shape = FAN_IN;
        else if (!strcmp(optarg, "mixed")) shape = MIXED;
        else fail("no such shape: pairs, fan-out, fan-in or mixed");
        break;
      case 'P': publisherCount = atoi(optarg); break;
      case 'S': subscriberCount = atoi(optarg); break;
      case 'q': qos = atoi(optarg); break;
      case 'l': level = atoi(optarg); break;
      case 'b': payloadBytes = (size_t)atol(optarg); break;
      case 'w': window = atoi(optarg); break;
      case 'W': warmSeconds = atof(optarg); break;
      case 's': measureSeconds = atof(optarg); break;
      case 'r': ratePerSecond = atof(optarg); break;
      case 'k': brokerPid = atoi(optarg); break;
      case 'g': probeEveryMs = atof(optarg); break; /* 0: no prober */
      default: fail("an option of the load generator is wrong; they are listed in load.c");
    }
  }
  if (publisherCount < 1 || subscriberCount < 1) fail("at least one publisher and one subscriber");
  if (shape == PAIRS && publisherCount != subscriberCount) fail("pairs need equal numbers");
  if (shape == MIXED) {
    if (publisherCount != MIXED_PUBLISHERS || subscriberCount != MIXED_SUBSCRIBERS)
      fail("the mixed shape needs %d publishers and as many subscribers", MIXED_PUBLISHERS);
    payloadBytes = 16384;
  }
  if (qos < 0 || qos > 2) fail("QoS is 0, 1 or 2");
  if (level != 4 && level != 5) fail("the level is 4 or 5");
  if (window < 1 || window > 16384) fail("the window is 1 to 16384");
  if (payloadBytes < sizeof(struct stamp) || payloadBytes > 16 << 20)
    fail("a payload has %zu bytes at least and 16 MiB at most", sizeof(struct stamp));
}

static void prepare(void) {
  openManyFiles();
  prctl(PR_SET_TIMERSLACK, 1000UL); /* so that --rate is even */
  connectionCount = publisherCount + subscriberCount;
  receiversPerMessage = shape == PAIRS ? 1 : subscriberCount;
  uint32_t ring = ratePerSecond ? 65536 : 1;
  /* Mixed messages are completed out of order, so that the oldest may be far behind. */
  while (ring < (uint32_t)window * (shape == MIXED ? 64 : 1)) ring *= 2;
  ringMask = ring - 1;
  inputSize = (256 << 10) + payloadBytes * 2;
  input = allocate(inputSize, 1);
  makePattern();
  if (shape == MIXED) prepareMixed();
  epoll = epoll_create1(0);
  connections = allocate((size_t)connectionCount, sizeof *connections);
  touched = allocate((size_t)connectionCount, sizeof *touched);
  publications = allocate((size_t)publisherCount, sizeof *publications);
  expected = allocate((size_t)subscriberCount * (size_t)publisherCount *
                      (shape == MIXED ? 2 : 1), sizeof *expected);
  subscribers = connections;
  publishers = connections + subscriberCount;
  for (int i = 0; i < connectionCount; i++) {
    struct connection *c = &connections[i];
    c->isPublisher = i >= subscriberCount;
    c->index = c->isPublisher ? i - subscriberCount : i;
    if (qos || shape == MIXED) c->steps = allocate(65536, 1);
    if (c->isPublisher && shape != MIXED) makePublication(&publications[c->index], c->index);
  }
}

/* A processor that sleeps and has to be woken makes a message cost half as much again, and whether
   broker and load share one is the scheduler's whim. At a fixed rate the load and the broker's first
   thread have a processor each, as if the load came from another machine. */
static void keepApart(void) {
  cpu_set_t mine, theirs;
  if (sched_getaffinity(0, sizeof theirs, &theirs) || CPU_COUNT(&theirs) < 2) return;
  int last = CPU_SETSIZE - 1;
  while (!CPU_ISSET(last, &theirs)) last--;
  CPU_ZERO(&mine);
  CPU_SET(last, &mine);
  CPU_CLR(last, &theirs);
  sched_setaffinity(brokerPid, sizeof theirs, &theirs);
  sched_setaffinity(0, sizeof mine, &mine);
}

int main(int count, char **texts) {
  int64_t paid = 0;
  parseOptions(count, texts);
  prepare();
  if (ratePerSecond && brokerPid) keepApart();
  connectAll();
  startProbe();
  int64_t startNs = nowNs();
  isPumping = ratePerSecond == 0;
  for (int i = 0; i < publisherCount; i++) touch(&publishers[i]);
  int64_t measureNs = startNs + (int64_t)(warmSeconds * 1e9);
  runUntil(measureNs, startNs, &paid);
  struct reading before = takeReading();
  isMeasuring = isProbing = 1;
  runUntil(before.atNs + (int64_t)(measureSeconds * 1e9), startNs, &paid);
  struct reading after = takeReading();
  isMeasuring = isProbing = 0;
  long residentKib = brokerResidentKib();
  if (after.delivered == before.delivered) fail("nothing was delivered while measuring");
  drain();
  report(before, after, residentKib);
  return 0;
}
