/*
 * The load of the durable rows, MQTT 3.1.1 or 5, QoS 1: publisher N speaks to topic d/N, to which
 * the session N listens. Modes, each a process of its own so that the broker can be killed between
 * them:
 *   prepare  makes the sessions and leaves
 *   publish  publishes for so many seconds, or with --count so many messages each, a window of
 *            messages under way per publisher, and says how many of each were acknowledged; with
 *            --online the sessions are there and acknowledge too
 *   drain    lets the sessions come back and take what they are owed, which must be at least the
 *            messages 1 to N, in order, of as many as --acked names
 * Prints one line of JSON.
 */
#include "common.h"

enum { bufferBytes = 1 << 18, pairsMax = 1000 };

typedef struct {
  int fd, isPublisher, number, ready;
  uint32_t sent, acked;     /* publisher: messages; acknowledged in order */
  uint32_t last, duplicates; /* session: the number of the last message, and those seen before */
  unsigned char in[bufferBytes];
  size_t inBytes;
  unsigned char *out;
  size_t outBytes, outFrom;
} Client;

static int pairs = 50, window = 100, payload = 64, online = 0, epollFd;
static double seconds = 30;
static uint32_t count = 0; /* messages of each publisher; 0: as many as the time allows */
static Client *clients[2 * pairsMax];
static int clientCount = 0;
static uint32_t wanted[pairsMax];

static void put(Client *client, const void *bytes, size_t count) {
  if (client->outBytes + count > bufferBytes) fail("a client has too much to send");
  memcpy(client->out + client->outBytes, bytes, count);
  client->outBytes += count;
}

static void flush(Client *client) {
  while (client->outFrom < client->outBytes) {
    ssize_t n = send(client->fd, client->out + client->outFrom,
                     client->outBytes - client->outFrom, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) break;
    if (n < 0) fail("the broker has closed a connection");
    client->outFrom += n;
  }
  if (client->outFrom == client->outBytes) client->outFrom = client->outBytes = 0;
  else if (client->outFrom > bufferBytes / 2) {
    memmove(client->out, client->out + client->outFrom, client->outBytes - client->outFrom);
    client->outBytes -= client->outFrom;
    client->outFrom = 0;
  }
  struct epoll_event event = {.events = EPOLLIN | (client->outBytes ? EPOLLOUT : 0),
                              .data.ptr = client};
  epoll_ctl(epollFd, EPOLL_CTL_MOD, client->fd, &event);
}

static Client *dial(int isPublisher, int number) {
  Client *client = allocate(1, sizeof *client);
  client->out = allocate(1, bufferBytes);
  client->isPublisher = isPublisher;
  client->number = number;
  client->fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, host, &address.sin_addr);
  if (connect(client->fd, (struct sockaddr *)&address, sizeof address)) fail("cannot connect");
  fcntl(client->fd, F_SETFL, O_NONBLOCK);
  int yes = 1;
  setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};
  epoll_ctl(epollFd, EPOLL_CTL_ADD, client->fd, &event);
  clients[clientCount++] = client;
  char id[16];
  int idBytes = sprintf(id, "%c%d", isPublisher ? 'p' : 's', number);
  unsigned char packet[64] = {0x10, 0, 0, 4, 'M', 'Q', 'T', 'T', level, isPublisher ? 2 : 0, 0, 0};
  int at = 12;
  if (level == 5) {
    if (isPublisher) packet[at++] = 0;
    else {
      const unsigned char expiry[] = {5, 0x11, 0, 1, 0, 0};
      memcpy(packet + at, expiry, sizeof expiry);
      at += sizeof expiry;
    }
  }
  packet[at++] = 0;
  packet[at++] = idBytes;
  memcpy(packet + at, id, idBytes);
  at += idBytes;
  packet[1] = at - 2;
  put(client, packet, at);
  flush(client);
  return client;
}

static void subscribe(Client *client) {
  char topic[16];
  int topicBytes = sprintf(topic, "d/%d", client->number);
  unsigned char packet[64] = {0x82, 0, 0, 1};
  int at = 4;
  if (level == 5) packet[at++] = 0;
  packet[at++] = 0;
  packet[at++] = topicBytes;
  memcpy(packet + at, topic, topicBytes);
  at += topicBytes;
  packet[at++] = 1;
  packet[1] = at - 2;
  put(client, packet, at);
  flush(client);
}

static void publish(Client *client) {
  unsigned char packet[32 + 65536];
  char topic[16];
  int topicBytes = sprintf(topic, "d/%d", client->number);
  int rest = 2 + topicBytes + 2 + (level == 5) + payload, at = 0;
  packet[at++] = 0x32;
  if (rest >= 128) packet[at++] = (rest & 127) | 128, packet[at++] = rest >> 7;
  else packet[at++] = rest;
  packet[at++] = 0;
  packet[at++] = topicBytes;
  memcpy(packet + at, topic, topicBytes);
  at += topicBytes;
  uint32_t number = ++client->sent;
  uint16_t id = (number - 1) % 65535 + 1;
  packet[at++] = id >> 8;
  packet[at++] = id;
  if (level == 5) packet[at++] = 0;
  memset(packet + at, 'x', payload);
  memcpy(packet + at, &number, 4);
  put(client, packet, at + payload);
}

static void handle(Client *client, unsigned char *packet, size_t head, size_t rest) {
  unsigned char *body = packet + head;
  switch (packet[0] >> 4) {
    case 2:
      if (body[1]) fail("a client was refused with code %d", body[1]);
      client->ready = 1;
      return;
    case 4: {
      uint16_t id = client->acked % 65535 + 1;
      if (((body[0] << 8) | body[1]) != id) fail("acknowledgements out of order");
      if (rest > 2 && body[2] >= 0x80) fail("a publish was refused with code %d", body[2]);
      client->acked++;
      return;
    }
    case 9:
      client->ready = 2;
      return;
    case 3: {
      int topicBytes = (body[0] << 8) | body[1];
      unsigned char *id = body + 2 + topicBytes;
      uint32_t number;
      memcpy(&number, id + 2 + (level == 5 ? 1 + id[2] : 0), 4);
      if (number <= client->last) client->duplicates++;
      else if (number != client->last + 1) {
        fail("session %d got message %u after %u", client->number, number, client->last);
      } else client->last = number;
      unsigned char ack[] = {0x40, 2, id[0], id[1]};
      put(client, ack, 4);
      return;
    }
    default:
      fail("a packet of type %d came", packet[0] >> 4);
  }
}

static void receive(Client *client) {
  ssize_t n = recv(client->fd, client->in + client->inBytes, bufferBytes - client->inBytes, 0);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) fail("the broker has closed a connection");
  client->inBytes += n;
  size_t at = 0;
  while (client->inBytes - at >= 2) {
    size_t rest = 0, head = 1;
    int shift = 0;
    do {
      if (at + head >= client->inBytes) goto more;
      rest |= (size_t)(client->in[at + head] & 127) << shift;
      shift += 7;
    } while (client->in[at + head++] & 128);
    if (client->inBytes - at < head + rest) break;
    handle(client, client->in + at, head, rest);
    at += head + rest;
  }
more:
  memmove(client->in, client->in + at, client->inBytes - at);
  client->inBytes -= at;
}

/* One look at all sockets; answers how many had something to say. */
static int turn(int waitMs) {
  struct epoll_event events[256];
  int count = epoll_wait(epollFd, events, 256, waitMs);
  for (int i = 0; i < count; i++) {
    Client *client = events[i].data.ptr;
    if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(client);
    flush(client);
  }
  return count;
}

static void until(int ready) {
  int64_t end = nowNs() + 20000000000LL;
  for (int waits = 1; waits;) {
    turn(100);
    waits = 0;
    for (int i = 0; i < clientCount; i++) {
      if (clients[i]->isPublisher ? clients[i]->ready < 1 : clients[i]->ready < ready) waits = 1;
    }
    if (nowNs() > end) fail("not all clients were connected within 20 seconds");
  }
}

static void leave(void) {
  const unsigned char goodbye[] = {0xe0, 0};
  for (int i = 0; i < clientCount; i++) {
    put(clients[i], goodbye, 2);
    flush(clients[i]);
  }
  usleep(200000);
}

static void dialSessions(int subscribing) {
  for (int i = 0; i < pairs; i++) dial(0, i);
  until(1);
  if (!subscribing) return;
  for (int i = 0; i < clientCount; i++) if (!clients[i]->isPublisher) subscribe(clients[i]);
  until(2);
}

static void runPublish(void) {
  if (online) dialSessions(1);
  int first = clientCount;
  for (int i = 0; i < pairs; i++) dial(1, i);
  until(online ? 2 : 1);
  int64_t begun = nowNs(), cpu = brokerCpuNs(), own = ownCpuNs();
  int64_t end = begun + (int64_t)(seconds * 1e9);
  for (int waits = 1; waits && nowNs() < end;) {
    waits = count == 0;
    for (int i = first; i < clientCount; i++) {
      Client *client = clients[i];
      waits |= client->acked < count;
      if (client->sent - client->acked > (uint32_t)window / 2) continue;
      while (client->sent - client->acked < (uint32_t)window &&
             (count == 0 || client->sent < count) && client->outBytes < bufferBytes / 2) {
        publish(client);
      }
      flush(client);
    }
    turn(10);
  }
  double took = (nowNs() - begun) / 1e9;
  uint64_t acked = 0, delivered = 0;
  for (int i = 0; i < clientCount; i++) {
    acked += clients[i]->acked;
    if (!clients[i]->isPublisher) delivered += clients[i]->last;
  }
  printf("{\"seconds\":%.3f,\"acked\":%llu,\"perS\":%.0f,\"delivered\":%llu,\"cpuS\":%.3f,"
         "\"loadCpuS\":%.3f,\"residentKib\":%ld,\"each\":\"",
         took, (unsigned long long)acked, acked / took, (unsigned long long)delivered,
         (brokerCpuNs() - cpu) / 1e9, (ownCpuNs() - own) / 1e9, brokerResidentKib());
  for (int i = first; i < clientCount; i++) {
    printf("%s%u", i > first ? "," : "", clients[i]->acked);
  }
  /* With sessions that are there: what each has had is none of what it is owed. */
  printf("\",\"had\":\"");
  for (int i = 0; i < pairs; i++) printf("%s%u", i ? "," : "", online ? clients[i]->last : 0);
  printf("\"}\n");
}

static void runDrain(void) {
  int64_t begun = nowNs();
  for (int i = 0; i < pairs; i++) dial(0, i)->last = 0;
  int64_t quietFrom = nowNs();
  uint64_t got = 0, duplicates = 0, missing = 0;
  /* A while longer for what should not come, and much longer for what should. */
  for (int waits = 1; nowNs() - quietFrom < (waits ? 30000000000LL : 1500000000LL);) {
    if (turn(100) > 0) quietFrom = nowNs();
    waits = 0;
    for (int i = 0; i < clientCount; i++) waits |= clients[i]->last < wanted[clients[i]->number];
  }
  for (int i = 0; i < clientCount; i++) {
    got += clients[i]->last;
    duplicates += clients[i]->duplicates;
    if (clients[i]->last < wanted[clients[i]->number]) {
      missing += wanted[clients[i]->number] - clients[i]->last;
    }
  }
  printf("{\"seconds\":%.3f,\"got\":%llu,\"duplicates\":%llu,\"missing\":%llu}\n",
         (quietFrom - begun) / 1e9, (unsigned long long)got, (unsigned long long)duplicates,
         (unsigned long long)missing);
}

int main(int words, char **texts) {
  static const struct option table[] = {
      {"mode", 1, 0, 'm'},   {"port", 1, 0, 'p'},    {"pid", 1, 0, 'i'},    {"pairs", 1, 0, 'n'},
      {"window", 1, 0, 'w'}, {"seconds", 1, 0, 's'}, {"level", 1, 0, 'l'},  {"online", 1, 0, 'o'},
      {"bytes", 1, 0, 'b'},  {"acked", 1, 0, 'a'},   {"count", 1, 0, 'c'},  {0, 0, 0, 0},
  };
  const char *mode = "";
  for (int letter; (letter = getopt_long(words, texts, "", table, 0)) != -1;) {
    switch (letter) {
      case 'm': mode = optarg; break;
      case 'p': port = atoi(optarg); break;
      case 'i': brokerPid = atoi(optarg); break;
      case 'n': pairs = atoi(optarg); break;
      case 'w': window = atoi(optarg); break;
      case 's': seconds = atof(optarg); break;
      case 'l': level = atoi(optarg); break;
      case 'o': online = atoi(optarg); break;
      case 'c': count = strtoul(optarg, NULL, 10); break;
      case 'b': payload = atoi(optarg); break;
      case 'a': {
        int i = 0;
        for (char *one = strtok(optarg, ","); one && i < pairsMax; one = strtok(NULL, ",")) {
          wanted[i++] = strtoul(one, NULL, 10);
        }
        break;
      }
      default: fail("unknown option");
    }
  }
  if (pairs > pairsMax || payload < 4 || payload > 16000) fail("more than this load can do");
  openManyFiles();
  epollFd = epoll_create1(0);
  if (!strcmp(mode, "prepare")) {
    dialSessions(1);
    leave();
    printf("{\"sessions\":%d}\n", pairs);
  } else if (!strcmp(mode, "publish")) runPublish();
  else if (!strcmp(mode, "drain")) runDrain();
  else fail("there are the modes prepare, publish and drain");
  return 0;
}
