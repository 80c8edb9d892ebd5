// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import Host
package import SystemPackage

/// The real depmod, to lay down what it writes.
package enum Depmod {
  /// Why it did not run.
  package struct Failure: Error {
    /// What was called.
    package let command: String
    /// How it ended.
    package let status: Int32
  }

  /// Writes the indexes of a kernel in the directory that holds the kernels.
  ///
  /// - Throws: `Failure`.
  package static func run(on tree: FilePath, for release: String) throws(Failure) {
    // What it says about modules that are only text is no news.
    let command = """
      PATH=$PATH:/usr/sbin:/sbin; base=$(mktemp -d) && mkdir -p "$base"/usr/lib "$base"/lib &&
      ln -s '\(tree)' "$base"/usr/lib/modules && ln -s '\(tree)' "$base"/lib/modules &&
      depmod -b "$base" -a '\(release)' 2> /dev/null
      status=$?; rm -rf "$base"; exit $status
      """
    let status = system(command)
    guard status == 0 else { throw Failure(command: command, status: status) }
  }
}
