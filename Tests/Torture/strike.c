// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs a command, and lets one system call of it go wrong: the process that makes it is killed, or the call fails.
//
//   strike LOG count -- COMMAND...                 note how often each program makes each call
//   strike LOG PROGRAM CALL N FAULT -- COMMAND...  FAULT: an error such as EIO, KILL for the process, KILLALL for everything
//
// Calls are counted over all processes of the command, which a tracer's own injection cannot do: the kernel asks this
// process before each of them (seccomp_unotify(2)). It must be the first process of a namespace, so that it alone inherits
// what the command leaves behind. Ends with the command's status as a shell would have it; 99 where the command hung,
// 98 where it has left a process, 97 where this program itself cannot go on.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Which argument is a path, or a descriptor; -1 where none is.
struct call {
  const char *name;
  int number, path, descriptor;
};
#define PATH(name, index) {#name, SYS_##name, index, -1}
#define FILE_(name) {#name, SYS_##name, -1, 0}
#define PLAIN(name) {#name, SYS_##name, -1, -1}
static const struct call calls[] = {
  PATH(open, 0), PATH(openat, 1), PATH(stat, 0), PATH(lstat, 0), PATH(newfstatat, 1), PATH(statx, 1), PATH(access, 0),
  PATH(faccessat, 1), PATH(faccessat2, 1), PATH(readlink, 0), PATH(readlinkat, 1), PATH(execve, 0), PATH(rename, 1),
  PATH(renameat, 3), PATH(renameat2, 3), PATH(unlink, 0), PATH(unlinkat, 1), PATH(mkdir, 0), PATH(mkdirat, 1),
  PATH(rmdir, 0), PATH(symlink, 1), PATH(symlinkat, 2), PATH(link, 1), PATH(linkat, 3), PATH(chmod, 0), PATH(fchmodat, 1),
  PATH(chown, 0), PATH(fchownat, 1), PATH(utimensat, 1), PATH(truncate, 0), PATH(chdir, 0), PATH(mount, 1),
  FILE_(fstat), FILE_(getdents64), FILE_(read), FILE_(pread64), FILE_(readv), FILE_(write), FILE_(pwrite64), FILE_(writev),
  FILE_(fsync), FILE_(fdatasync), FILE_(ftruncate), FILE_(fchmod), FILE_(fchown), FILE_(flock), FILE_(lseek),
  FILE_(copy_file_range), FILE_(sendfile), FILE_(dup2), FILE_(dup3), FILE_(fcntl), {"mmap", SYS_mmap, -1, 4},
  PLAIN(clone), PLAIN(clone3), PLAIN(fork), PLAIN(vfork), PLAIN(pipe2), PLAIN(brk), PLAIN(mprotect), PLAIN(munmap),
  PLAIN(epoll_create1), PLAIN(epoll_ctl), PLAIN(epoll_wait), PLAIN(epoll_pwait), PLAIN(eventfd2), PLAIN(timerfd_create),
  PLAIN(pidfd_open), PLAIN(socketpair), PLAIN(wait4), PLAIN(waitid), PLAIN(poll), PLAIN(ppoll), PLAIN(unshare),
  PLAIN(setpgid), PLAIN(setsid), PLAIN(prctl), PLAIN(memfd_create), PLAIN(kill), PLAIN(getrandom), PLAIN(umask),
};
enum { known = sizeof calls / sizeof *calls };

static const struct { const char *name; int number; } faults[] = {
  {"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EROFS", EROFS}, {"EMFILE", EMFILE}, {"ENFILE", ENFILE}, {"ENOMEM", ENOMEM},
  {"EACCES", EACCES}, {"EINTR", EINTR}, {"EAGAIN", EAGAIN},
};

static void give_up(const char *what) {
  fprintf(stderr, "strike: %s: %s\n", what, strerror(errno));
  exit(97);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

// Asks the kernel to ask; returns the descriptor on which it does.
static int install_filter(void) {
  struct sock_filter filter[known + 4];
  int count = 0;
  filter[count++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (int index = 0; index < known; index++)
    filter[count++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[index].number, known - index, 0);
  filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  filter[count++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
  struct sock_fprog program = {count, filter};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
    SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &program);
}

static void read_text(int process, const char *file, char *text, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", process, file);
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = descriptor < 0 ? -1 : read(descriptor, text, size - 1);
  if (descriptor >= 0) close(descriptor);
  text[length < 0 ? 0 : length] = 0;
}

// The program that a thread belongs to: threads have names of their own.
static void name_program(int thread, char *name, size_t size) {
  char status[512];
  read_text(thread, "status", status, sizeof status);
  const char *line = strstr(status, "\nTgid:");
  read_text(line ? atoi(line + 6) : thread, "comm", name, size);
  name[strcspn(name, "\n")] = 0;
}

// What a call is about, as far as that can be told.
static void subject(const struct seccomp_notif *asked, const struct call *call, char *text, size_t size) {
  text[0] = 0;
  if (call->path >= 0) {
    struct iovec here = {text, size - 1}, there = {(void *)asked->data.args[call->path], size - 1};
    // Not beyond the page, where nothing may be.
    size_t rest = 4096 - (asked->data.args[call->path] & 4095);
    if (rest < there.iov_len) there.iov_len = rest;
    ssize_t length = process_vm_readv(asked->pid, &here, 1, &there, 1, 0);
    text[length < 0 ? 0 : length] = 0;
  } else if (call->descriptor >= 0) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/%d", asked->pid, (int)asked->data.args[call->descriptor]);
    ssize_t length = readlink(path, text, size - 1);
    text[length < 0 ? 0 : length] = 0;
  }
}

static struct tally { char program[32]; unsigned counts[known]; } tallies[256];
static int programs;

static unsigned count_call(const char *program, int index) {
  int row = 0;
  while (row < programs && strcmp(tallies[row].program, program)) row++;
  if (row == 256) return 0;
  if (row == programs) strcpy(tallies[programs++].program, program);
  return ++tallies[row].counts[index];
}

int main(int count, char **words) {
  int start = 1;
  while (start < count && strcmp(words[start], "--")) start++;
  int counts = start == 3 && !strcmp(words[2], "count");
  if (start + 1 >= count || (!counts && start != 6)) {
    fprintf(stderr, "usage: strike LOG count|PROGRAM CALL N FAULT -- COMMAND...\n");
    return 97;
  }
  unsigned wanted = counts ? 0 : strtoul(words[4], 0, 10);
  int error = 0, kills = 0;
  if (!counts) {
    kills = !strcmp(words[5], "KILL") ? 1 : !strcmp(words[5], "KILLALL") ? 2 : 0;
    for (size_t index = 0; index < sizeof faults / sizeof *faults; index++)
      if (!strcmp(words[5], faults[index].name)) error = faults[index].number;
    if (!error && !kills) { fprintf(stderr, "strike: no fault is called %s\n", words[5]); return 97; }
  }
  FILE *log = fopen(words[1], "we");
  if (!log) give_up(words[1]);

  pid_t command = fork();
  if (command < 0) give_up("fork");
  if (command == 0) {
    if (install_filter() < 0) _exit(97);
    // This is not answered before the parent has fetched the descriptor, which closes here then.
    execvp(words[start + 1], words + start + 1);
    _exit(127);
  }
  int process = syscall(SYS_pidfd_open, command, 0), listener = -1;
  for (double end = now() + 10; listener < 0 && now() < end;) {
    char path[64], target[64];
    for (int number = 3; number < 16 && listener < 0; number++) {
      snprintf(path, sizeof path, "/proc/%d/fd/%d", command, number);
      ssize_t length = readlink(path, target, sizeof target - 1);
      target[length < 0 ? 0 : length] = 0;
      if (strstr(target, "seccomp notify")) listener = syscall(SYS_pidfd_getfd, process, number, 0);
    }
  }
  if (listener < 0) give_up("seccomp");
  fcntl(listener, F_SETFD, FD_CLOEXEC);

  int status = -1, is_struck = 0;
  double end = now() + 120;
  for (;;) {
    struct pollfd waiting = {listener, POLLIN, 0};
    poll(&waiting, 1, 20);
    int ending;
    for (pid_t ended; (ended = waitpid(-1, &ending, WNOHANG)) > 0;)
      if (ended == command) {
        status = WIFEXITED(ending) ? WEXITSTATUS(ending) : 128 + WTERMSIG(ending);
        end = now() + 10;
      }
    if (now() > end) {
      kill(-1, SIGKILL);
      fprintf(log, "%s\n", status < 0 ? "hung" : "left a process");
      return status < 0 ? 99 : 98;
    }
    if (!(waiting.revents & POLLIN)) {
      if (waiting.revents & POLLHUP && status >= 0) break;
      continue;
    }
    struct seccomp_notif asked;
    memset(&asked, 0, sizeof asked);
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked)) continue;
    struct seccomp_notif_resp answer = {asked.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE};
    int index = 0;
    while (index < known && calls[index].number != asked.data.nr) index++;
    char program[32];
    name_program(asked.pid, program, sizeof program);
    unsigned number = index < known ? count_call(program, index) : 0;
    if (!counts && !is_struck && number == wanted && !strcmp(calls[index].name, words[3]) && !strcmp(program, words[2])) {
      char about[4096];
      subject(&asked, &calls[index], about, sizeof about);
      fprintf(log, "%s %s %u %s %s\n", program, calls[index].name, number, words[5], about);
      fflush(log);
      is_struck = 1;
      if (kills == 1) kill(asked.pid, SIGKILL);
      if (kills == 2) kill(-1, SIGKILL);
      if (error) { answer.error = -error; answer.flags = 0; }
    }
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
  if (counts)
    for (int row = 0; row < programs; row++)
      for (int index = 0; index < known; index++)
        if (tallies[row].counts[index])
          fprintf(log, "%s %s %u\n", tallies[row].program, calls[index].name, tallies[row].counts[index]);
  return status;
}
