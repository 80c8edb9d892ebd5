// SPDX-License-Identifier: GPL-2.0-or-later
//
// glibc declares these only under _GNU_SOURCE, which Swift's Glibc module does not set.

#include <spawn.h>

// Changes the directory of a child before its program starts.
int posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);

// Closes every descriptor of a child from this number on before its program starts.
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

// Swaps two directories in one step, so that a reader always finds one of them.
int renameat2(int old_directory, const char *old_path, int new_directory, const char *new_path,
              unsigned int flags);
enum { LINUX_RENAME_EXCHANGE = 2 };

// Makes a pipe that a child inherits only if asked to.
int pipe2(int descriptors[2], int flags);

// An anonymous file holds a child's output, so that no reader has to keep up with it.
int memfd_create(const char *name, unsigned int flags);
enum { LINUX_MFD_CLOEXEC = 1 };

// The processors this process may use, as a bit each; the size is in bytes.
int sched_getaffinity(int process, unsigned long size, void *set);

// Swift's Glibc module leaves out the headers of these; the flags of all three are those of open(2).
int epoll_create1(int flags);
int eventfd(unsigned int initial, int flags);
int timerfd_create(int clock, int flags);

// A process of its own mounts, and what is mounted in it.
int unshare(int flags);
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
enum { LINUX_CLONE_NEWNS = 0x20000, LINUX_MS_REC = 16384, LINUX_MS_PRIVATE = 1 << 18 };

// A descriptor that holds its number, and can neither be read nor written.
enum { LINUX_O_PATH = 010000000 };
