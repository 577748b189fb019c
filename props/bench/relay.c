/*
 * A relay that does as little as a broker possibly can, to see how fast the load itself can go:
 * it answers CONNECT, SUBSCRIBE and acknowledgements, and copies the packets of a publisher as they
 * are to the subscribers that the shape wants. With pairs also at QoS 1 and 2, where the packet
 * identifiers of the publisher serve for its subscriber too. What load.c reaches against this is
 * its own limit, and a broker measured far below that was itself the limit.
 *
 * With a third argument it commits one fault, so that it can be seen that the load notices: message
 * number 5000 is dropped, doubled, changed in its last byte, swapped with the next one, or never
 * acknowledged.
 *
 * Usage: relay PORT pairs|fan-out|fan-in [drop|double|change|swap|silence]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS 4096
#define BUFFER (32 << 20)
#define FAULTY 5000

struct connection {
  int fd, index, isSubscriber, isWaiting;
  uint8_t *output;
  size_t start, end;
  uint8_t tail[1024];
  size_t tailBytes;
  size_t passing; /* bytes still to come of a large packet whose beginning was forwarded already */
};

static struct connection connections[CONNECTIONS];
static struct connection *subscribers[CONNECTIONS], *waiting[CONNECTIONS], *freed[CONNECTIONS];
static int connectionCount, subscriberCount, waitingCount, freedCount, epoll;
static char shape;
static const char *fault = "";
static long publishCount;
static uint8_t input[1 << 18];

static struct connection *newConnection(void) {
  if (freedCount) return freed[--freedCount];
  if (connectionCount == CONNECTIONS) exit(1);
  return &connections[connectionCount++];
}

static void give(struct connection *c, const uint8_t *bytes, size_t count) {
  if (!c->output) c->output = malloc(BUFFER);
  if (c->end + count > BUFFER) {
    memmove(c->output, c->output + c->start, c->end - c->start);
    c->end -= c->start;
    c->start = 0;
  }
  if (c->end + count > BUFFER) { fprintf(stderr, "relay: the window is too wide\n"); exit(1); }
  memcpy(c->output + c->end, bytes, count);
  c->end += count;
  if (!c->isWaiting) { c->isWaiting = 1; waiting[waitingCount++] = c; }
}

static void forward(struct connection *from, const uint8_t *bytes, size_t count) {
  if (count == 0) return;
  if (shape == 'o') for (int i = 0; i < subscriberCount; i++) give(subscribers[i], bytes, count);
  else give(subscribers[shape == 'i' ? 0 : from->index], bytes, count);
}

/* The index is the number at the end of the client identifier, as load.c makes them. */
static void greet(struct connection *c, const uint8_t *frame, size_t size) {
  size_t at = size;
  int factor = 1;
  while (frame[at - 1] >= '0' && frame[at - 1] <= '9') {
    c->index += (frame[--at] - '0') * factor;
    factor *= 10;
  }
  c->isSubscriber = frame[at - 1] == 's';
  give(c, (const uint8_t *)"\x20\x02\0\0", 4);
  if (!c->isSubscriber) return;
  subscribers[c->index] = c;
  if (c->index >= subscriberCount) subscriberCount = c->index + 1;
}

/* Acknowledges a PUBLISH above QoS 0 and takes the next step for PUBREC and PUBREL. */
static void answer(struct connection *c, const uint8_t *frame, const uint8_t *body) {
  static const uint8_t answers[8] = {0, 0, 0, 0, 0, 0x62, 0x70, 0};
  int type = frame[0] >> 4, qos = frame[0] >> 1 & 3;
  if (type == 12) give(c, (const uint8_t *)"\xd0\0", 2);
  if (type == 8) give(c, (const uint8_t[]){0x90, 3, 0, 1, body[-1 + frame[1]]}, 5);
  if (type == 3 && qos && !(publishCount == FAULTY && !strcmp(fault, "silence"))) {
    const uint8_t *id = body + 2 + (body[0] << 8 | body[1]);
    give(c, (const uint8_t[]){qos == 1 ? 0x40 : 0x50, 2, id[0], id[1]}, 4);
  }
  if (type < 8 && answers[type]) give(c, (const uint8_t[]){answers[type], 2, body[0], body[1]}, 4);
}

/* Handles message number 5000, or the one after it, where the fault wants that; answers whether. */
static int commitFault(struct connection *c, uint8_t *frame, size_t size) {
  static uint8_t held[256];
  static size_t heldBytes;
  if (publishCount == FAULTY) {
    if (!strcmp(fault, "drop")) return 1;
    if (!strcmp(fault, "double")) forward(c, frame, size);
    if (!strcmp(fault, "change")) frame[size - 1] ^= 1;
    if (!strcmp(fault, "swap")) {
      memcpy(held, frame, heldBytes = size);
      return 1;
    }
  }
  if (!heldBytes) return 0;
  forward(c, frame, size);
  forward(c, held, heldBytes);
  heldBytes = 0;
  return 1;
}

static void receive(struct connection *c) {
  size_t end = c->tailBytes, start = 0, firstOfRun = 0;
  memcpy(input, c->tail, end);
  ssize_t count = read(c->fd, input + end, sizeof input - end);
  if (count < 0 && errno == EAGAIN) return;
  if (count <= 0) {
    close(c->fd);
    freed[freedCount++] = c;
    c->start = c->end = c->tailBytes = 0;
    c->index = 0;
    return;
  }
  end += (size_t)count;
  if (c->passing) {
    start = c->passing < end ? c->passing : end;
    forward(c, input, start);
    c->passing -= start;
    firstOfRun = start;
  }
  /* A run of whole PUBLISH packets is forwarded in one piece. */
  while (end - start >= 2) {
    size_t length = 0, at = start + 1;
    int shift = 0, isWhole = 0;
    while (at < end && !isWhole) {
      length |= (size_t)(input[at] & 127) << shift;
      shift += 7;
      isWhole = input[at++] < 128;
    }
    if (isWhole && length > 65536 && end - at < length) { /* QoS 0, this one */
      c->passing = length - (end - at);
      start = end;
      break;
    }
    if (!isWhole || end - at < length) break;
    size_t next = at + length;
    int type = input[start] >> 4, isSpecial = type != 3;
    if (type == 3) publishCount++;
    if (type == 1) greet(c, input + start, next - start);
    else answer(c, input + start, input + at);
    if (*fault && type == 3 && publishCount >= FAULTY) {
      forward(c, input + firstOfRun, start - firstOfRun);
      firstOfRun = start;
      isSpecial = commitFault(c, input + start, next - start);
    }
    if (isSpecial) {
      forward(c, input + firstOfRun, start - firstOfRun);
      firstOfRun = next;
    }
    start = next;
  }
  forward(c, input + firstOfRun, start - firstOfRun);
  memcpy(c->tail, input + start, end - start);
  c->tailBytes = end - start;
}

static void flush(struct connection *c) {
  while (c->start < c->end) {
    ssize_t count = write(c->fd, c->output + c->start, c->end - c->start);
    if (count < 0) {
      if (errno != EAGAIN) return;
      struct epoll_event event = {.events = EPOLLIN | EPOLLOUT, .data.ptr = c};
      epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
      return;
    }
    c->start += (size_t)count;
  }
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (c->isWaiting == 2) epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
  c->start = c->end = 0;
}

int main(int count, char **texts) {
  if (count < 3) return 2;
  if (count > 3) fault = texts[3];
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_port = htons((uint16_t)atoi(texts[1]));
  int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  shape = texts[2][strlen(texts[2]) - 1] == 't' ? 'o' : texts[2][0] == 'p' ? 'p' : 'i';
  inet_aton("127.0.0.1", &address.sin_addr);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(listener, (struct sockaddr *)&address, sizeof address)) return 1;
  if (listen(listener, 511)) return 1;
  epoll = epoll_create1(0);
  struct epoll_event own = {.events = EPOLLIN, .data.ptr = 0};
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &own);
  for (;;) {
    static struct epoll_event events[1024];
    int ready = epoll_wait(epoll, events, 1024, -1);
    for (int i = 0; i < ready; i++) {
      struct connection *c = events[i].data.ptr;
      if (!c) {
        c = newConnection();
        c->fd = accept4(listener, 0, 0, SOCK_NONBLOCK);
        setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
        epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
        continue;
      }
      if (events[i].events & EPOLLOUT) {
        if (!c->isWaiting) waiting[waitingCount++] = c;
        c->isWaiting = 2;
      }
      if (events[i].events & EPOLLIN) receive(c);
    }
    for (int i = 0; i < waitingCount; i++) {
      flush(waiting[i]);
      waiting[i]->isWaiting = 0;
    }
    waitingCount = 0;
  }
}
