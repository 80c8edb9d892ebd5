// SPDX-License-Identifier: GPL-2.0-or-later

import Testing

@testable import DKMSEngine

/// Which line of a log says what went wrong; the logs are what real programs print.
@Suite struct TellingErrorTests {
  private func log(_ blocks: (output: String, status: Int)...) -> [String] {
    let text = blocks.map { output, status in
      """

      Building module(s)
      # command: make -j2 KERNELRELEASE=6.1.0
      \(output)

      # exit code: \(status)
      # elapsed time: 00:00:01
      ----------------------------------------------------------------
      """
    }
    let head = "DKMS (dkms-3.4.3) make.log for hello/1.0 for kernel 6.1.0 (x86_64)\n"
    return (head + text.joined(separator: "\n")).split(separator: "\n").map(String.init)
  }

  private func tells(_ output: String) -> String? { TellingError(in: log((output, 2))).line }

  @Test(arguments: [
    (
      """
      checking for kernel source version... 6.14.0-arch1-1
      configure: error:
      \t*** Cannot build against kernel version 6.14.0-arch1-1.
      \t*** The maximum supported kernel version is 6.11.
      \t***

      make: *** No targets specified and no makefile found.  Stop.
      """,
      "configure: error: Cannot build against kernel version 6.14.0-arch1-1. "
        + "The maximum supported kernel version is 6.11."
    ),
    (
      """
      configure: error: in `/build':
      configure: error: C compiler cannot create executables
      See `config.log' for more details
      """,
      "configure: error: C compiler cannot create executables"
    ),
  ])
  func ofAConfigureScript(_ output: String, _ expected: String) { #expect(tells(output) == expected) }

  @Test(arguments: [
    "/bin/sh: 1: scripts/basic/fixdep: Exec format error", "/bin/sh: 1: frobnicate: not found",
    "/bin/sh: line 1: ./generate.sh: Permission denied", "fixdep: not all data was written to the output",
    "cp: cannot create regular file 'a': Read-only file system", "the firmware is too old for this driver",
  ])
  func beforeMakeGivesUp(_ reason: String) {
    let output = """
      make[1]: Entering directory '/usr/src/linux-headers-6.1.0'
      warning: the compiler differs from the one used to build the kernel
      cat: .version: No such file or directory
        CC [M]  a.o
      \(reason)
        LD [M]  b.o
      make[3]: *** [scripts/Makefile.build:243: a.o] Error 126
      make[3]: *** Waiting for unfinished jobs....
      make[2]: *** [Makefile:2037: .] Error 2
      make[1]: Leaving directory '/usr/src/linux-headers-6.1.0'
      make: *** [Makefile:5: all] Error 2
      """
    #expect(tells(output) == reason)
  }

  @Test(arguments: [
    (
      """
      a.c:3:7: warning: unused variable 'x' [-Wunused-variable]
          3 |   int x;
            |       ^
      cc1: all warnings being treated as errors
      make: *** [Makefile:3: a.o] Error 1
      """, "a.c:3:7: warning: unused variable 'x' [-Wunused-variable]"
    ),
    (
      """
      a.c:3:7: error: unused variable 'x' [-Werror=unused-variable]
      cc1: all warnings being treated as errors
      """, "a.c:3:7: error: unused variable 'x' [-Werror=unused-variable]"
    ),
    (
      """
      error[E0425]: cannot find value `x` in this scope
       --> hello.rs:3:5
      error: aborting due to 1 previous error
      """, "hello.rs:3:5: error[E0425]: cannot find value `x` in this scope"
    ),
    (
      "\u{1B}[01m\u{1B}[Ka.c:3:4:\u{1B}[m\u{1B}[K \u{1B}[01;31m\u{1B}[Kerror: \u{1B}[m\u{1B}[Kno 'x'\n1 error",
      "a.c:3:4: error: no 'x'"
    ),
    ("\u{1B}[1m\u{1B}[91merror[E0277]\u{1B}[0m\u{1B}[1m: no `+`\u{1B}[0m", "error[E0277]: no `+`"),
    (
      "/usr/bin/ld: a.o: in function `f': a.c:(.text+0x9): undefined reference to `g'\n"
        + "collect2: error: ld returned 1 exit status",
      "/usr/bin/ld: a.o: in function `f': a.c:(.text+0x9): undefined reference to `g'"
    ),
    (
      "/usr/bin/ld: b.o: multiple definition of `g'\ncollect2: error: ld returned 1 exit status",
      "/usr/bin/ld: b.o: multiple definition of `g'"
    ),
    (
      "gcc: fatal error: Killed signal terminated program cc1\ncompilation terminated.\nmake: *** [a.o] Error 1",
      "gcc: fatal error: Killed signal terminated program cc1"
    ),
  ])
  func ofCompilers(_ output: String, _ expected: String) { #expect(tells(output) == expected) }

  @Test(arguments: [
    (
      "make: unrecognized option '--frobnicate'\nUsage: make [options] [target] ...\nOptions:\n  -b  Ignored.",
      "make: unrecognized option '--frobnicate'"
    ),
    (
      "cat: x: No such file or directory\nMakefile:4: *** This driver needs a kernel before 6.0.  Stop.",
      "Makefile:4: *** This driver needs a kernel before 6.0.  Stop."
    ),
    ("  CC [M]  a.o\nmake[2]: *** [Makefile:3: a.o] Killed", "make[2]: *** [Makefile:3: a.o] Killed"),
    ("make: *** [Makefile:2: all] Error 1", "make: *** [Makefile:2: all] Error 1"),
  ])
  func ofMakeItself(_ output: String, _ expected: String) { #expect(tells(output) == expected) }

  @Test func lastLineWhereNothingLooksLikeAnError() {
    #expect(tells("looking for the board\nthis board is not known") == "this board is not known")
    #expect(tells("") == nil)
    #expect(TellingError(in: log(("all is well", 0))).line == nil)
  }

  @Test func anErrorThatAnEarlierCommandSurvivedIsNotTheReason() {
    let earlier = "test.c:1:1: error: no such function, so it is left out"
    #expect(TellingError(in: log((earlier, 0), ("a.c:2:1: error: bad", 2))).line == "a.c:2:1: error: bad")
    #expect(TellingError(in: log((earlier, 0), ("", 2))).line == earlier)
  }
}
