// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// A shared library that is opened while the program runs, and stays open until it ends.
///
/// A program starts without it, and says what is missing only where it is needed.
public struct DynamicLibrary {
  private let handle: UnsafeMutableRawPointer

  /// Opens a library by its soname.
  ///
  /// - Throws: `LoadFailure` where there is none, or the dynamic loader refuses it.
  public init(soname: String) throws(LoadFailure) {
    guard let handle = dlopen(soname, RTLD_NOW | RTLD_LOCAL) else { throw .last() }
    self.handle = handle
  }

  /// Opens the first library of a list that is there and has every function that is looked up.
  ///
  /// - Throws: `LoadFailure`, that of the last one.
  public static func first<Functions>(
    of sonames: [String], _ lookUp: (DynamicLibrary) throws(LoadFailure) -> Functions
  ) throws(LoadFailure) -> Functions {
    var failure = LoadFailure(description: "no soname given")
    for soname in sonames {
      do throws(LoadFailure) {
        return try lookUp(try DynamicLibrary(soname: soname))
      } catch {
        failure = error
      }
    }
    throw failure
  }

  /// Looks a function up; the type that is expected is taken on trust.
  ///
  /// - Throws: `LoadFailure` where the library has no such function.
  public func function<Function>(_ name: String) throws(LoadFailure) -> Function {
    guard let address = dlsym(handle, name) else { throw .last() }
    return unsafeBitCast(address, to: Function.self)
  }

  /// What the dynamic loader said.
  public struct LoadFailure: Error, Hashable, Sendable {
    /// Its words.
    public let description: String

    static func last() -> LoadFailure {
      LoadFailure(description: dlerror().map { String(cString: $0) } ?? "unknown reason")
    }
  }
}
