/*
 * Many connections that hardly speak, where load.c has few that speak a lot.
 *
 * crowd --mode idle: COUNT clients connect, 32 of them under way at a time, and say nothing more.
 * Reports the broker's CPU time until the last CONNACK, and its resident memory per connection when
 * it has had a while to settle.
 *
 * crowd --mode reconnect: COUNT clients with durable sessions and one subscription of QoS 1 each
 * lose their connections, one message is published, and then all connect at the same moment.
 * Reports how long it takes until each has its CONNACK, until each has the message, how many were
 * refused, and the longest gap of the broker's loop meanwhile (probe.h).
 *
 * One line of JSON on standard output; a failure is {"error": "..."} and status 1.
 */
#include "common.h"
#include "probe.h"

enum step { CONNECTING, AWAITS_CONNACK, AWAITS_SUBACK, IDLE, AWAITS_MESSAGE, SERVED, REFUSED };

struct client {
  int fd, index;
  enum step step;
  uint8_t bytes[256]; /* what has come of a packet that is not complete */
  size_t count;
};

static int clientCount = 10000, isReconnect, epoll;
static double settleSeconds = 10;
static struct client *clients;
static int connectedCount, servedCount, refusedCount;
static int64_t connectedNs, servedNs;
static int isSecondTime;

static size_t putText(uint8_t *at, const char *text) {
  size_t count = strlen(text);
  at[0] = (uint8_t)(count >> 8);
  at[1] = (uint8_t)count;
  memcpy(at + 2, text, count);
  return count + 2;
}

/* The few bytes of such a packet always fit into an empty socket buffer. */
static void sendFrame(int fd, uint8_t header, const uint8_t *body, size_t count) {
  uint8_t frame[128] = {header, (uint8_t)count};
  memcpy(frame + 2, body, count);
  if (write(fd, frame, count + 2) != (ssize_t)count + 2) fail("cannot write: %s", strerror(errno));
}

static size_t connectBody(uint8_t *body, const char *clientId, int isClean) {
  size_t count = putText(body, "MQTT");
  body[count++] = 4;
  body[count++] = isClean ? 2 : 0;
  body[count++] = 0;
  body[count++] = 0; /* no keep alive */
  return count + putText(body + count, clientId);
}

static void sendConnect(struct client *c) {
  uint8_t body[64];
  char clientId[32];
  snprintf(clientId, sizeof clientId, "crowd-%d", c->index);
  sendFrame(c->fd, 0x10, body, connectBody(body, clientId, !isReconnect));
  c->step = AWAITS_CONNACK;
}

static void refuse(struct client *c) {
  if (c->step == REFUSED) return;
  c->step = REFUSED;
  close(c->fd);
  refusedCount++;
}

static void dial(struct client *c) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
  int yes = 1;
  inet_aton(host, &address.sin_addr);
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) fail("socket: %s", strerror(errno));
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  c->step = CONNECTING;
  c->count = 0;
  if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS)
    fail("connecting: %s", strerror(errno));
  epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event);
}

static void onPacket(struct client *c, uint8_t header, const uint8_t *body, size_t count) {
  switch (header >> 4) {
    case 2: {
      if (c->step != AWAITS_CONNACK) fail("client %d got two CONNACKs", c->index);
      if (body[1]) { refuse(c); return; }
      if (body[0] != isSecondTime) fail("client %d: session present is %d", c->index, body[0]);
      connectedCount++;
      connectedNs = nowNs();
      c->step = isSecondTime ? AWAITS_MESSAGE : IDLE;
      if (!isReconnect || isSecondTime) return;
      uint8_t request[32] = {0, 1};
      size_t length = 2 + putText(request + 2, "crowd/all");
      request[length++] = 1;
      sendFrame(c->fd, 0x82, request, length);
      c->step = AWAITS_SUBACK;
      return;
    }
    case 9:
      if (c->step != AWAITS_SUBACK || body[2] != 1) fail("client %d: a wrong SUBACK", c->index);
      c->step = IDLE;
      servedCount++;
      return;
    case 3: {
      /* topic (2 + 9), identifier (2), payload (5) */
      if (c->step != AWAITS_MESSAGE || count != 18 || memcmp(body + 13, "hello", 5) || header != 0x32)
        fail("client %d got a message twice, too early or changed", c->index);
      sendFrame(c->fd, 0x40, body + 11, 2);
      c->step = SERVED;
      servedCount++;
      servedNs = nowNs();
      return;
    }
    default: fail("client %d got packet type %d", c->index, header >> 4);
  }
}

static void receive(struct client *c) {
  while (c->step != REFUSED) {
    ssize_t got = read(c->fd, c->bytes + c->count, sizeof c->bytes - c->count);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) {
      if (!isSecondTime) fail("the broker closed the connection of client %d", c->index);
      refuse(c);
      return;
    }
    c->count += (size_t)got;
    size_t start = 0;
    while (c->step != REFUSED && c->count - start >= 2 &&
           c->count - start >= (size_t)c->bytes[start + 1] + 2) {
      size_t length = c->bytes[start + 1];
      onPacket(c, c->bytes[start], c->bytes + start + 2, length);
      start += length + 2;
    }
    memmove(c->bytes, c->bytes + start, c->count - start);
    c->count -= start;
  }
}

static void turn(int waitMs) {
  static struct epoll_event events[1024];
  int count = epoll_wait(epoll, events, 1024, waitMs);
  for (int i = 0; i < count; i++) {
    struct client *c = events[i].data.ptr;
    if (c->step == REFUSED) continue;
    if (c->step == CONNECTING && (events[i].events & (EPOLLERR | EPOLLHUP))) { refuse(c); continue; }
    if (c->step == CONNECTING && (events[i].events & EPOLLOUT)) sendConnect(c);
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(c);
  }
}

static void connectGently(void) {
  int64_t giveUpNs = nowNs() + 60 * 1000000000LL;
  int openedCount = 0;
  for (;;) {
    int readyCount = isReconnect ? servedCount : connectedCount;
    if (readyCount == clientCount) return;
    if (nowNs() > giveUpNs) fail("only %d of %d clients got ready", readyCount, clientCount);
    while (openedCount < clientCount && openedCount - readyCount < 32) dial(&clients[openedCount++]);
    turn(10);
  }
}

static void settle(double seconds) {
  for (int64_t endNs = nowNs() + (int64_t)(seconds * 1e9); nowNs() < endNs;) turn(10);
}

/* One message of QoS 1 for all, from a client of its own; returns when it is acknowledged. */
static void publishOne(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  uint8_t body[64], answer[8];
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  inet_aton(host, &address.sin_addr);
  if (connect(fd, (struct sockaddr *)&address, sizeof address)) fail("the publisher cannot connect");
  sendFrame(fd, 0x10, body, connectBody(body, "crowd-publisher", 1));
  size_t count = putText(body, "crowd/all");
  body[count++] = 0;
  body[count++] = 1;
  memcpy(body + count, "hello", 5);
  sendFrame(fd, 0x32, body, count + 5);
  for (size_t got = 0; got < 8;) {
    ssize_t more = read(fd, answer + got, 8 - got);
    if (more <= 0) fail("the publisher lost its connection");
    got += (size_t)more;
  }
  if (answer[3] || answer[4] != 0x40) fail("the publisher got no PUBACK");
  sendFrame(fd, 0xe0, body, 0);
  close(fd);
}

static void measureIdle(void) {
  long residentBefore = brokerResidentKib();
  int64_t cpuBefore = brokerCpuNs(), startNs = nowNs();
  connectGently();
  double cpuS = (double)(brokerCpuNs() - cpuBefore) * 1e-9;
  double seconds = (double)(nowNs() - startNs) * 1e-9;
  settle(settleSeconds);
  long residentAfter = brokerResidentKib();
  printf("{\"count\":%d,\"seconds\":%.3f,\"cpuS\":%.3f,\"residentKib\":%ld,\"kibEach\":%.2f}\n",
         clientCount, seconds, cpuS, residentAfter,
         (double)(residentAfter - residentBefore) / clientCount);
}

static void measureReconnect(void) {
  struct linger abruptly = {1, 0};
  connectGently();
  settle(0.2);
  for (int i = 0; i < clientCount; i++) {
    setsockopt(clients[i].fd, SOL_SOCKET, SO_LINGER, &abruptly, sizeof abruptly);
    close(clients[i].fd);
  }
  settle(1); /* until the broker has noticed; a message is queued only for who is away */
  publishOne();
  startProbe();
  settle(0.3);
  connectedCount = servedCount = 0;
  isSecondTime = isProbing = 1;
  int64_t startNs = nowNs(), cpuBefore = brokerCpuNs(), giveUpNs = startNs + 30 * 1000000000LL;
  for (int i = 0; i < clientCount; i++) dial(&clients[i]);
  while (servedCount + refusedCount < clientCount && nowNs() < giveUpNs) turn(10);
  double cpuS = (double)(brokerCpuNs() - cpuBefore) * 1e-9;
  settle(0.2); /* nothing may come twice */
  isProbing = 0;
  int lateCount = clientCount - servedCount - refusedCount;
  printf("{\"count\":%d,\"connectedS\":%.3f,\"servedS\":%.3f,\"refused\":%d,\"unserved\":%d,",
         clientCount, (double)(connectedNs - startNs) * 1e-9, (double)(servedNs - startNs) * 1e-9,
         refusedCount, lateCount);
  printf("\"gapUs\":%.1f,\"cpuS\":%.3f,\"residentKib\":%ld}\n", longestGapUs(), cpuS,
         brokerResidentKib());
}

int main(int count, char **texts) {
  static const struct option table[] = {
    {"port", 1, 0, 'p'}, {"pid", 1, 0, 'k'}, {"mode", 1, 0, 'm'}, {"count", 1, 0, 'c'},
    {"settle", 1, 0, 's'}, {0, 0, 0, 0},
  };
  for (int letter; (letter = getopt_long(count, texts, "", table, 0)) != -1;) {
    switch (letter) {
      case 'p': port = atoi(optarg); break;
      case 'k': brokerPid = atoi(optarg); break;
      case 'm': isReconnect = !strcmp(optarg, "reconnect"); break;
      case 'c': clientCount = atoi(optarg); break;
      case 's': settleSeconds = atof(optarg); break;
      default: fail("an option of the crowd is wrong; they are listed in crowd.c");
    }
  }
  openManyFiles();
  epoll = epoll_create1(0);
  clients = allocate((size_t)clientCount, sizeof *clients);
  for (int i = 0; i < clientCount; i++) clients[i].index = i;
  if (isReconnect) measureReconnect();
  else measureIdle();
  return 0;
}
