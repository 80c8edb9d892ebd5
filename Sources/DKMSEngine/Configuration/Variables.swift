// SPDX-License-Identifier: GPL-2.0-or-later

/// Values of bash variables; every variable is an array, perhaps with gaps.
struct Variables: Hashable, Sendable {
  private var values: [String: [Int: String]] = [:]

  init(_ values: [String: [Int: String]] = [:]) { self.values = values }

  /// The variable as bash gives it without an index.
  subscript(name: String) -> String? {
    get { values[name]?[0] }
    set { values[name, default: [:]][0] = newValue }
  }

  subscript(name: String, index: Int) -> String {
    get { values[name]?[index] ?? "" }
    set { values[name, default: [:]][index] = newValue }
  }

  func indices(_ name: String) -> [Int] {
    values[name].map { $0.keys.sorted() } ?? []
  }

  func array(_ name: String) -> [String] {
    indices(name).map { self[name, $0] }
  }
}
