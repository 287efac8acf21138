// Shifts the wall clock of a program that is started with LD_PRELOAD of this. The monotonic clock stays as it is. The file
// that the variable CLOCK_SHIFT names holds two words of 64 bits: by how many nanoseconds, which may change at any time, and
// how often, by one look every 50 ms, a thread was found to wait for a time on the wall that is more than an hour away.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL
// How long a wait for a time on the wall goes without a look at the clock, which the kernel would take for it.
#define LOOK (SECOND / 20)
#define LONG (3600 * SECOND)

static struct {
  int64_t shift, long_waits;
} nothing, *shared = &nothing;

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("CLOCK_SHIFT");
  int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
  if (file < 0) abort();
  void *mapped = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) abort();
  shared = mapped;
  close(file);
}

static struct timespec timespec_of(int64_t time) {
  return (struct timespec){.tv_sec = time / SECOND, .tv_nsec = time % SECOND};
}

static int64_t real(void) {
  struct timespec now;
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
  return now.tv_sec * SECOND + now.tv_nsec;
}

static int64_t shifted(void) { return real() + __atomic_load_n(&shared->shift, __ATOMIC_RELAXED); }

int clock_gettime(clockid_t clock, struct timespec *now) {
  if (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE) return syscall(SYS_clock_gettime, clock, now);
  *now = timespec_of(shifted());
  return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  (void)zone;
  int64_t time = shifted();
  *now = (struct timeval){.tv_sec = time / SECOND, .tv_usec = time % SECOND / 1000};
  return 0;
}

time_t time(time_t *now) {
  time_t seconds = shifted() / SECOND;
  if (now) *now = seconds;
  return seconds;
}

// Of the conditions of POSIX, those that wait by the wall clock; all of this program do.
int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until) {
  typedef int wait_t(pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
  wait_t *wait = (wait_t *)dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  int64_t due = until->tv_sec * SECOND + until->tv_nsec;
  for (;;) {
    int64_t left = due - shifted();
    if (left <= 0) return ETIMEDOUT;
    if (left > LONG) __atomic_fetch_add(&shared->long_waits, 1, __ATOMIC_RELAXED);
    struct timespec next = timespec_of(real() + (left < LOOK ? left : LOOK));
    int result = wait(condition, mutex, &next);
    if (result != ETIMEDOUT) return result;
  }
}
