// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// A moment as people read it.
public enum Moment {
  /// `2026-11-25 12:11:28`, in the time zone of this machine; of seconds since 1970.
  public static func text(_ seconds: Int) -> String {
    var time = time_t(seconds)
    var parts = tm()
    localtime_r(&time, &parts)
    var text = [CChar](repeating: 0, count: 64)
    strftime(&text, text.count, "%Y-%m-%d %H:%M:%S", &parts)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
