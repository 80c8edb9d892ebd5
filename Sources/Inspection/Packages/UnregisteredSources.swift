// SPDX-License-Identifier: GPL-2.0-or-later

package import DKMSEngine
package import DKMSModel
package import Host
internal import SystemPackage

/// The sources of modules that are, or should be, in the source tree and that are not registered.
package struct UnregisteredSources: Sendable {
  /// Where the sources of modules are.
  package private(set) var modules: [ModuleID: String] = [:]
  /// Those of which it is not known what they hold.
  package private(set) var unread: [UnreadSource] = []

  /// Looks into the source tree, and for what packages have brought there.
  ///
  /// - Parameters:
  ///   - snapshot: What there is.
  ///   - kernel: The kernel that each dkms.conf is read for.
  ///   - packaged: The directories in the source tree that packages own a dkms.conf in, with their packages.
  /// - Throws: `HostError` where a look failed.
  package init(
    _ snapshot: Snapshot, for kernel: Kernel, packaged: [String: String] = [:]
  ) async throws(HostError) {
    let layout = snapshot.layout
    let tree = try snapshot.tree()
    let registered = Set(tree.modules.compactMap(\.source))
    for name in Set(try Files.list(layout.sourceTree)).union(packaged.keys).sorted() {
      let source = layout.sourceTree.appending(name)
      guard !registered.contains(source.string) else { continue }
      guard try Files.isFile(source.appending("dkms.conf")) else {
        if let package = packaged[name] {
          unread.append(UnreadSource(directory: source.string, package: package))
        }
        continue
      }
      do throws(DKMSError) {
        let id = try await snapshot.identity(of: source, for: kernel)
        if tree[id] == nil { modules[id] = source.string }
      } catch {
        unread.append(UnreadSource(directory: source.string, package: packaged[name], error: error))
      }
    }
  }
}

extension Database {
  /// What packages have brought into the source tree of a layout.
  package func packagedSources(in layout: Layout, isThorough: Bool = false) -> [String: String] {
    var directory = layout.sourceTree
    guard directory.removePrefix(layout.root) else { return [:] }
    return packagedSources(below: directory.string, isThorough: isThorough)
  }
}
