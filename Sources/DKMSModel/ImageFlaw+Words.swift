// SPDX-License-Identifier: GPL-2.0-or-later

extension ImageFlaw {
  /// What is wrong, for people, to be said after the name of the image.
  public var words: String {
    switch self {
    case .missing: "it is missing"
    case .unreadable(let reason): "it cannot be read: \(reason)"
    case .unknown(let reason): "nothing is known about it: \(reason)"
    case .differs(let module): "the module \(module) in it is not the one that is installed"
    case .gone(let module): "the module \(module) in it is no longer installed"
    case .lacks(let module, let place): "it lacks the module \(module), which \(place) asks for"
    }
  }
}
