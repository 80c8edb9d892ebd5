// SPDX-License-Identifier: GPL-2.0-or-later
//
// Runs a command, ends as it does, and adds a line to FILE: the most memory that the process itself had, in kB. What
// time(1) tells is the most that it or any process below it had, which for a build is the compiler's.
//
//   peak FILE COMMAND [ARGUMENT...]

#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

// Called while the process stops at its end, where its memory is still there to be asked for.
static void note(pid_t process, const char *file)
{
  char path[64], line[256];
  long peak;
  snprintf(path, sizeof path, "/proc/%d/status", process);
  FILE *facts = fopen(path, "r"), *notes = fopen(file, "a");
  while (facts && notes && fgets(line, sizeof line, facts))
    if (sscanf(line, "VmHWM: %ld", &peak) == 1)
      fprintf(notes, "%ld\n", peak);
  if (facts)
    fclose(facts);
  if (notes)
    fclose(notes);
}

int main(int count, char **arguments)
{
  int status;
  if (count < 3)
    return 2;
  pid_t process = fork();
  if (process == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    execv(arguments[2], arguments + 2);
    perror(arguments[2]);
    _exit(127);
  }
  // The first stop is that of exec. Processes that this one starts run untraced.
  if (process < 0 || waitpid(process, &status, 0) < 0)
    return 125;
  if (WIFSTOPPED(status)) {
    ptrace(PTRACE_SETOPTIONS, process, 0, PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL);
    ptrace(PTRACE_CONT, process, 0, 0);
    while (waitpid(process, &status, 0) == process && WIFSTOPPED(status)) {
      int event = status >> 16;
      if (event == PTRACE_EVENT_EXIT)
        note(process, arguments[1]);
      ptrace(PTRACE_CONT, process, 0, event ? 0 : WSTOPSIG(status));
    }
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
