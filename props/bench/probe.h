/*
 * The prober: a client of its own, on a thread of its own, that sends PINGREQ and waits for the
 * PINGRESP, once a millisecond. The longest answer less the median answer is the longest gap of the
 * broker's loop: the median is what a turn under this load takes anyway. What the kernel's
 * scheduler adds on a busy machine is in the figure too, for every broker alike.
 */
#ifndef PROBE_H
#define PROBE_H
#include "common.h"
#include <pthread.h>

#define PROBES 2000000

static int64_t *probeNs, probeCount;
static int probeFd = -1;
static double probeEveryMs = 1;
static volatile int isProbing;

static void probeRead(uint8_t *at, size_t count) {
  while (count > 0) {
    ssize_t got = read(probeFd, at, count);
    if (got <= 0) fail("the prober lost its connection");
    at += got;
    count -= (size_t)got;
  }
}

static void *probeLoop(void *unused) {
  (void)unused;
  prctl(PR_SET_TIMERSLACK, 1000UL);
  int64_t every = (int64_t)(probeEveryMs * 1e6);
  for (int64_t next = nowNs();; next += every) {
    int64_t now = nowNs();
    if (now < next) {
      struct timespec wait = {(next - now) / 1000000000, (next - now) % 1000000000};
      nanosleep(&wait, 0);
    } else next = now;
    uint8_t answer[2];
    int64_t at = nowNs();
    int counts = isProbing;
    if (write(probeFd, "\xc0\0", 2) != 2) fail("the prober cannot write");
    probeRead(answer, 2);
    if (answer[0] != 0xd0 || answer[1]) fail("the prober got no PINGRESP");
    /* Also one that was still under way when measuring ended. */
    if (counts && probeCount < PROBES) probeNs[probeCount++] = nowNs() - at;
  }
  return 0;
}

/* Connects (MQTT 3.1.1) and begins; what is measured counts while `isProbing` is set. */
static void startProbe(void) {
  static const uint8_t hello[] = "\x10\x17\0\4MQTT\4\2\0\0\0\13bench-probe";
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  pthread_t thread;
  int yes = 1;
  uint8_t answer[4];
  if (probeEveryMs <= 0) return;
  probeNs = allocate(PROBES, sizeof *probeNs);
  inet_aton(host, &address.sin_addr);
  probeFd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(probeFd, (struct sockaddr *)&address, sizeof address))
    fail("the prober cannot connect: %s", strerror(errno));
  setsockopt(probeFd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (write(probeFd, hello, 25) != 25) fail("the prober cannot write");
  probeRead(answer, 4);
  if (answer[3]) fail("the prober was refused");
  if (pthread_create(&thread, 0, probeLoop, 0)) fail("no thread for the prober");
}

static int compareNs(const void *a, const void *b) {
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return x < y ? -1 : x > y;
}

/* Longest answer less the median one, in microseconds; call it when `isProbing` has been 0. */
static double longestGapUs(void) {
  int64_t count = probeCount;
  if (count == 0) return 0;
  int64_t *copy = allocate((size_t)count, sizeof *copy);
  memcpy(copy, probeNs, (size_t)count * sizeof *copy);
  qsort(copy, (size_t)count, sizeof *copy, compareNs);
  double gap = (double)(copy[count - 1] - copy[count / 2]) / 1000;
  free(copy);
  return gap;
}

#endif
