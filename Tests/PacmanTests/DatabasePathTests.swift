// SPDX-License-Identifier: GPL-2.0-or-later

import SystemPackage
import Testing

@testable import Pacman

@Suite("Where the database is")
struct DatabasePathTests {
  @Test(
    "DBPath counts in [options] only, the first one",
    arguments: [
      (nil, "var/lib/pacman"),
      ("", "var/lib/pacman"),
      ("[options]\nDBPath = /srv/db/\n", "srv/db"),
      ("[options]\n  DBPath=/srv/db  \nDBPath = /other\n", "srv/db"),
      ("[options]\n#DBPath = /srv/db\n", "var/lib/pacman"),
      ("[core]\nDBPath = /core\n[options]\nDBPath = /srv/db\n", "srv/db"),
      ("[options]\nDBPath\nDBPathology = /x\n", "var/lib/pacman"),
    ])
  func configured(_ configuration: String?, _ path: String) throws {
    let fixture = try TemporaryDatabase(version: nil)
    if let configuration { try fixture.write(configuration, to: "etc/pacman.conf") }
    #expect(LocalDatabase.databasePath(root: fixture.root) == fixture.root.appending(path))
  }

  @Test("A configured database is opened")
  func opened() throws {
    let fixture = try TemporaryDatabase(version: nil)
    try fixture.write("[options]\nDBPath = /srv/db/\n", to: "etc/pacman.conf")
    try fixture.write("9\n", to: "srv/db/local/ALPM_DB_VERSION")
    try fixture.write("", to: "srv/db/local/one-2-3/desc")
    #expect(try fixture.open(.automatic).packages() == [InstalledPackage(name: "one", version: "2-3")])
  }
}
