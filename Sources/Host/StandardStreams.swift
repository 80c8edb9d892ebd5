// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import Glibc

/// Descriptors 0, 1 and 2 of this process.
enum StandardStreams {
  /// Keeps files that are opened later from getting the number of one that the caller has closed: what is printed
  /// would go into them.
  ///
  /// What takes their place can neither be read nor written, so that printing is an error as before.
  static func occupy() {
    for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] where fcntl(descriptor, F_GETFD) < 0 {
      _ = open("/", CInt(LINUX_O_PATH) | O_CLOEXEC)
    }
  }
}
