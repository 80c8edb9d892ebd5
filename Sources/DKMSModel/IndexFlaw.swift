// SPDX-License-Identifier: GPL-2.0-or-later

/// What is wrong with the files by which modprobe finds a kernel's modules, and which depmod writes.
public enum IndexFlaw: Codable, Hashable, Sendable {
  /// One of them is missing.
  case missing(file: String)
  /// One of them ends too early, or holds something else.
  case damaged(file: String)
  /// One of them is from another run of depmod than its counterpart.
  case contradictory(file: String, counterpart: String)
  /// They name a module file that is not there.
  case gone(moduleFile: String)
  /// They name the kernel's own modules in another order than the kernel does: depmod did not read modules.order.
  case unordered
  /// They do not name a module file that is there.
  case unlisted(moduleFile: String)
  /// Modules were put into the kernel, or taken out, after one of them was written.
  case old(file: String)

  /// The file that is wrong, or that stands for all of them.
  public var file: String {
    switch self {
    case .missing(let file), .damaged(let file), .contradictory(let file, _), .old(let file): file
    case .gone, .unlisted, .unordered: "modules.dep"
    }
  }

  /// What is wrong with it, as part of a sentence that begins with the file.
  public var words: String {
    switch self {
    case .missing: "it is missing"
    case .damaged: "it is damaged"
    case .contradictory(_, let counterpart): "it does not say the same as \(counterpart)"
    case .gone(let module): "it names \(module), which is not there"
    case .unlisted(let module): "it does not name \(module)"
    case .unordered: "its order is not that of modules.order"
    case .old: "it is older than the modules"
    }
  }

  /// Whether modprobe may find no module at all.
  public var hidesModules: Bool {
    switch self {
    case .missing, .damaged, .contradictory: file.hasPrefix("modules.dep") || file.hasPrefix("modules.alias")
    case .gone, .unlisted, .unordered, .old: false
    }
  }
}
