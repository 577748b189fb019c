/*
 * What the programs of the bench share: time, failure as a sentence, memory, the CPU time and the
 * resident memory of a broker (the process `brokerPid` and all its descendants, all threads).
 */
#ifndef COMMON_H
#define COMMON_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *host = "127.0.0.1";
static int port = 1883, level = 4;
static int brokerPid = 0;

static int64_t nowNs(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Every sentence is ours and holds no quotation mark, so it needs no escaping. */
__attribute__((noreturn, format(printf, 1, 2)))
static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  printf("{\"error\":\"");
  vprintf(format, arguments);
  printf("\"}\n");
  va_end(arguments);
  exit(1);
}

static void *allocate(size_t count, size_t bytes) {
  void *memory = calloc(count ? count : 1, bytes);
  if (!memory) fail("the load generator is out of memory");
  return memory;
}

/* CPU time of one process, all its threads, also those that ended. The clock of the process counts
   nanoseconds where /proc/PID/stat counts hundredths of a second. */
static int64_t processCpuNs(int pid) {
  clockid_t clock;
  struct timespec t;
  if (clock_getcpuclockid(pid, &clock) || clock_gettime(clock, &t)) return 0;
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int readProcessStat(int pid, char *text, size_t size, char **fields) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (!file) return 0;
  size_t count = fread(text, 1, size - 1, file);
  fclose(file);
  text[count] = 0;
  char *name = strrchr(text, ')'); /* a name may hold spaces and parentheses */
  if (!name) return 0;
  *fields = name + 2;
  return 1;
}

static int parentOf(int pid) {
  char text[1024], *fields;
  int parent = 0;
  if (!readProcessStat(pid, text, sizeof text, &fields)) return 0;
  return sscanf(fields, "%*c %d", &parent) == 1 ? parent : 0;
}

/* Time of children that have ended and were waited for. */
static int64_t endedChildrenCpuNs(int pid) {
  char text[1024], *fields;
  long user = 0, system = 0;
  if (!readProcessStat(pid, text, sizeof text, &fields)) return 0;
  sscanf(fields, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %ld %ld", &user, &system);
  return (user + system) * (1000000000LL / sysconf(_SC_CLK_TCK));
}

/* The process and its descendants; answers how many were put into `pids`. */
static int processTree(int root, int *pids, int limit) {
  int count = 0;
  if (root <= 0) return 0;
  pids[count++] = root;
  DIR *directory = opendir("/proc");
  if (!directory) return count;
  /* A child usually has the higher number; one pass finds it, and brokers do not nest deeper. */
  for (struct dirent *entry; (entry = readdir(directory)) && count < limit;) {
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    int pid = atoi(entry->d_name), parent = parentOf(pid);
    for (int i = 0; i < count; i++) {
      if (pids[i] != parent) continue;
      pids[count++] = pid;
      break;
    }
  }
  closedir(directory);
  return count;
}

static int64_t brokerCpuNs(void) {
  int pids[64], count = processTree(brokerPid, pids, 64);
  int64_t sum = 0;
  for (int i = 0; i < count; i++) sum += processCpuNs(pids[i]) + endedChildrenCpuNs(pids[i]);
  return sum;
}

static long brokerResidentKib(void) {
  int pids[64], count = processTree(brokerPid, pids, 64);
  long sum = 0;
  for (int i = 0; i < count; i++) {
    char path[64], line[256];
    snprintf(path, sizeof path, "/proc/%d/status", pids[i]);
    FILE *file = fopen(path, "r");
    if (!file) continue;
    while (fgets(line, sizeof line, file)) {
      if (!strncmp(line, "VmRSS:", 6)) sum += atol(line + 6);
    }
    fclose(file);
  }
  return sum;
}

static int64_t ownCpuNs(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Time in which any processor of the machine was busy. */
static int64_t machineBusyNs(void) {
  unsigned long long user = 0, nice = 0, system = 0, idle, wait, irq = 0, soft = 0;
  FILE *file = fopen("/proc/stat", "r");
  if (!file) return 0;
  if (fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &wait,
             &irq, &soft) != 7) user = 0;
  fclose(file);
  return (int64_t)(user + nice + system + irq + soft) * (1000000000LL / sysconf(_SC_CLK_TCK));
}

static void openManyFiles(void) {
  struct rlimit files = {0, 0};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

#endif
