// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSEngine
import Host
import SystemPackage
import TestSupport
import Testing

/// Settings of the package that was there before.
@Suite struct FormerFrameworkTests {
  private let directory: TemporaryDirectory
  private var layout = Layout()

  init() throws {
    directory = try TemporaryDirectory()
    layout.configurationDirectory = directory.path
    try directory.write("parallel_jobs=3\n", to: "framework.conf.pacsave")
  }

  @Test(arguments: [nil, "", "# parallel_jobs=\n\n  # verbose=\n"])
  func takesThePlaceOfAFileThatSetsNothing(_ stock: String?) throws {
    if let stock { try directory.write(stock, to: "framework.conf") }
    try #require(try FormerFramework(layout)).takeOver()
    #expect(Disk.text(directory.path.appending("framework.conf")) == "parallel_jobs=3")
    #expect(Disk.list(directory.path) == ["framework.conf"])
    #expect(try FormerFramework(layout) == nil)
  }

  @Test func leavesWhatIsSetAlone() throws {
    try directory.write("# stock\nverbose=1\n", to: "framework.conf")
    #expect(try FormerFramework(layout) == nil)
  }
}
