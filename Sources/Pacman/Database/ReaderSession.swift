// SPDX-License-Identifier: GPL-2.0-or-later

/// Who answers the questions to a local database, for as long as it is open.
final class ReaderSession {
  /// Who answers, and what points to the packages that it is asked about; nil where it is asked about all.
  private typealias Answering = (reader: any DatabaseReader, index: FileReader?, failure: AlpmError?)

  private var handle: LibraryHandle?
  private var answering: Answering?
  private let begin: (() throws(AlpmError) -> LibraryHandle, DatabaseLayout, FileReader)?

  /// Asks a reader.
  init(_ reader: any DatabaseReader, index: FileReader? = nil) {
    answering = (reader, index, nil)
    begin = nil
  }

  /// Asks libalpm about all packages.
  init(_ handle: LibraryHandle, _ layout: DatabaseLayout) {
    answering = (handle.reader(layout), nil, nil)
    begin = nil
    self.handle = handle
  }

  /// Asks libalpm about the packages that the files point to, or the files alone where it cannot be opened.
  ///
  /// To open it takes longer than many hooks, and more memory, so it is opened when it is first asked.
  init(
    _ layout: DatabaseLayout, _ files: FileReader,
    opening open: @escaping () throws(AlpmError) -> LibraryHandle
  ) {
    begin = (open, layout, files)
  }

  /// What points to packages by their names, without opening libalpm; nil where nothing does.
  var names: FileReader? { begin?.2 ?? answering?.index }
  var reader: any DatabaseReader { current.reader }
  var index: FileReader? { current.index }
  /// Why the files answer in the place of libalpm.
  var libraryFailure: AlpmError? { current.failure }

  private var current: Answering {
    if let answering { return answering }
    guard let (open, layout, files) = begin else { preconditionFailure("nobody answers") }
    let answering: Answering
    do throws(AlpmError) {
      let handle = try open()
      answering = (handle.reader(layout), files, nil)
      self.handle = handle
    } catch {
      answering = (files, nil, error)
    }
    self.answering = answering
    return answering
  }
}
