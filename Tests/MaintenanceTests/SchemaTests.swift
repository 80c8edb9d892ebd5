// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import JSON
import SystemPackage
import TestSupport
import Testing

/// The descriptions of what programs print and keep; each is held to what is printed where that is tested.
@Suite struct SchemaTests {
  private static let directory = TestParts.repository.appending("packaging").appending("schemas")
  private static let names = Disk.list(directory).map { String($0.dropLast(".json".count)) }

  private static func manual(_ page: String) -> String {
    Disk.text(TestParts.repository.appending("man").appending(page)) ?? ""
  }

  @Test func everyNameIsInOneCase() throws {
    #expect(Self.names.count == 14)
    for name in Self.names {
      for member in try JSONSchema(name).memberNames {
        #expect(
          (try Regex("[a-z][a-z0-9]+(_[a-z0-9]+)*").wholeMatch(in: member)) != nil, "\(name): \(member)")
      }
    }
  }

  /// The manual lists each file, with each member that it has at its top.
  @Test func theManualKnowsEachDocument() throws {
    let page = Self.manual("alpm-dkms-json.5")
    for name in Self.names {
      #expect(page.contains("\(name).json"), "\(name)")
      guard name != "record" else { continue }
      let file = try JSONParser.parse(Files.read(Self.directory.appending("\(name).json"), limit: 1 << 20))
      guard case .object(let members)? = file["properties"] else { throw JSONProblem(place: name, text: "") }
      for member in members { #expect(page.contains(member.name), "\(name): \(member.name)") }
    }
  }

  @Test(arguments: [
    (#"{"schema": 1, "version": "1", "bundle": "/x", "files": []}"#, 0),
    (#"{"schema": 2, "version": "1", "bundle": "/x", "files": []}"#, 1),
    (#"{"schema": 1, "version": "1", "bundle": "/x"}"#, 1),
    (#"{"schema": 1, "version": "1", "bundle": 7, "files": []}"#, 1),
    (#"{"schema": 1, "version": "1", "bundle": "/x", "files": [], "more": null}"#, 1),
    (#"{"schema": 1, "version": "1", "bundle": "/x", "files": [{"name": "a", "size": "1"}]}"#, 1),
    ("[]", 1),
  ])
  func faultsAreFound(_ text: String, _ count: Int) throws {
    #expect(try JSONSchema("bundle").faults(in: text).count == count)
  }

  @Test func faultsInDefinitionsAreFound() throws {
    let schema = try JSONSchema("record")
    let step = { (text: String) in schema.faults(in: try JSONParser.parse(Array(text.utf8)), as: "step") }
    #expect(try step(#"{"unregister": {"module": "a/1"}}"#) == [])
    #expect(try step(#"{"unregister": {"module": "a"}}"#).count == 1)
    #expect(
      try step(#"{"unregister": {"module": "a/1"}, "add": {"module": "a/1", "source": "/x"}}"#).count == 1)
    #expect(try step("{}").count == 1)
  }
}
