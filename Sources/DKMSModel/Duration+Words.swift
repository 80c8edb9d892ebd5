// SPDX-License-Identifier: GPL-2.0-or-later

extension Duration {
  /// For people: in minutes if it is a whole number of them, otherwise in whole seconds.
  public var inWords: String {
    let seconds = components.seconds
    let isMinutes = seconds > 0 && seconds.isMultiple(of: 60)
    let (count, unit) = isMinutes ? (seconds / 60, "minute") : (seconds, "second")
    return Int(count).counted(unit)
  }
}

extension Int {
  /// `1 step`, `2 steps`: so many of something.
  package func counted(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
