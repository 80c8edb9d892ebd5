// SPDX-License-Identifier: GPL-2.0-or-later

import DKMSModel
import JSON
import TestSupport
import Testing

/// Values of the model as JSON.
@Suite struct CodingTests {
  private func expectReturn<Value: Codable & Hashable>(
    _ value: Value, at location: SourceLocation = #_sourceLocation
  ) throws {
    let json = JSON(encoding: value)
    let read: Value = try JSONParser.parse(Array(json.text.utf8)).decode()
    #expect(read == value, sourceLocation: location)
    #expect(JSON(encoding: read).text == json.text, sourceLocation: location)
  }

  @Test(arguments: 0..<UInt64(40))
  func whatIsWrittenIsRead(_ seed: UInt64) throws {
    var values = RandomValues(seed)
    try expectReturn(try values.plan())
    try expectReturn(try values.facts())
    try expectReturn([try values.error(), try values.error(), try values.error()])
    try expectReturn([
      Outcome.done(warnings: [values.text()]), .done(warnings: [], isCached: true),
      .failed(try values.error()), .failed(try values.error(), warnings: [values.text()]), .notTried,
    ])
    try expectReturn(
      Transaction(
        changedModules: [try values.id()], goneKernels: [try values.kernel()],
        installedKernels: [try values.kernel()]))
  }

  @Test(arguments: 0..<UInt64(20))
  func whatIsWrittenIsDescribed(_ seed: UInt64) throws {
    var values = RandomValues(seed)
    let schema = try JSONSchema("record")
    #expect(schema.faults(in: JSON(encoding: try values.plan()), as: "plan") == [])
    #expect(schema.faults(in: JSON(encoding: try values.facts()), as: "facts") == [])
  }

  /// Nothing stands for a name: a module is called one everywhere, and a lone value is its case's.
  @Test func valuesWithoutNamesAreCalledAfterTheirTypes() throws {
    let id = try ModuleID(name: "a", version: "1")
    let kernel = try Kernel(release: KernelRelease("6.1"), architecture: "x86_64")
    let text = { (value: any Encodable) in
      JSON(encoding: value).text.split(separator: "\n").map { $0.drop { $0 == " " } }.joined(separator: " ")
    }
    #expect(text(Step.build(id, kernel)) == #"{ "build": { "kernel": "6.1/x86_64", "module": "a/1" } }"#)
    #expect(text(Reason.dependencyChanged(id)) == #"{ "dependency_changed": { "module": "a/1" } }"#)
    #expect(text(Exposure.Cause.owner("bob")) == #"{ "owner": "bob" }"#)
    #expect(text(Skip(id, nil, .upToDate)) == #"{ "cause": { "up_to_date": {} }, "module": "a/1" }"#)
  }

  /// Records of the schemas before had the names of the source.
  @Test func olderNamesAreRead() throws {
    let id = try ModuleID(name: "a", version: "1")
    let kernel = try Kernel(release: KernelRelease("6.1"), architecture: "x86_64")
    let old = """
      {"steps": [{"step": {"install": {"_0": "a/1", "_1": "6.1/x86_64"}}, "reason": {"sourceChanged": {}},
      "required": [], "earlier": [], "isOptional": false,
      "basis": {"configuration": {"unreadable": {"_0": {"notBuilt": {"_0": "a/1", "_1": "6.1/x86_64"}}}},
      "competitions": [], "overrulesKernel": true, "buildsInSource": false}}],
      "skips": [{"id": "a/1", "cause": {"obstacle": {"_0": {"notAdded": {"_0": "a/1"}}}}}]}
      """
    var plan = Plan()
    plan.append(
      .install(id, kernel), because: .sourceChanged,
      basis: Basis(configuration: .unreadable(.notBuilt(id, kernel)), overrulesKernel: true))
    plan.skip(Skip(id, nil, .obstacle(.notAdded(id))))
    #expect(try JSONParser.parse(Array(old.utf8)).decode(Plan.self) == plan)
  }

  @Test func recordsThatSayNothingOfWarningsAreRead() throws {
    let text = #"{"failed":{"_0":{"kernelMissing":{"_0":"6.1.0","directory":"/d"}}}}"#
    let outcome: Outcome = try JSONParser.parse(Array(text.utf8)).decode(Outcome.self)
    #expect(outcome == .failed(.kernelMissing(try KernelRelease("6.1.0"), directory: "/d")))
  }

  @Test func setsAndDictionariesHaveOneOrder() throws {
    let names = (0..<50).map { "name\($0)" }
    var facts = Facts()
    let id = try ModuleID(name: "a", version: "1")
    facts.productNames[id] = Set(names)
    let text = JSON(encoding: facts).text
    // Another capacity is another order of the elements in memory.
    var others = Set<String>(minimumCapacity: 4096)
    for name in names.reversed() { others.insert(name) }
    facts.productNames[id] = others
    #expect(Array(others) != Array(Set(names)) && JSON(encoding: facts).text == text)
    #expect(JSON(encoding: facts)["product_names"]?["a/1"] == .array(names.sorted().map(JSON.string)))
  }

  @Test func whatIsWrongIsNamedWithTheWayToIt() throws {
    let kernel = try Kernel(release: KernelRelease("6.1"), architecture: "x86_64")
    let facts = Facts(kernels: [
      kernel: KernelFacts(
        directory: "/d", exists: true, headersDirectory: "/h", hasHeaders: true, headersPackage: nil)
    ])
    let text = JSON(encoding: facts).text
    let problem = { (old: String, new: String) -> String in
      do throws(JSONProblem) {
        _ = try JSONParser.parse(Array(text.replacing(old, with: new).utf8)).decode(Facts.self)
        return "none"
      } catch {
        return "\(error)"
      }
    }
    #expect(
      problem(#""exists": true"#, #""exists": 1"#)
        == #"kernels["6.1/x86_64"].exists: a bool is expected here"#)
    #expect(problem(#""exists": true"#, #""is": true"#) == #"kernels["6.1/x86_64"].exists: it is missing"#)
    #expect(problem("6.1/x86_64", "6.1").hasPrefix("kernels"))
  }

  @Test func aStepThatWaitsForALaterOneIsRefused() throws {
    var plan = Plan()
    let id = try ModuleID(name: "a", version: "1")
    let first = plan.append(.unregister(id), because: .requested)
    plan.append(.unregister(id), because: .requested, requires: [first])
    let text = JSON(encoding: plan).text.replacing("        0\n", with: "        1\n")
    #expect(text != JSON(encoding: plan).text)
    #expect(throws: JSONProblem.self) { try JSONParser.parse(Array(text.utf8)).decode(Plan.self) }
  }

  @Test func aNameThatLeavesItsTreeIsRefused() {
    #expect(throws: JSONProblem.self) { try JSON.string("../1").decode(ModuleID.self) }
    #expect(throws: JSONProblem.self) { try JSON.string("a/..").decode(ModuleID.self) }
    #expect(throws: JSONProblem.self) { try JSON.string("6.1/x/y").decode(Kernel.self) }
  }

  @Test func differencesAreNamedWithTheWayToThem() throws {
    let old = try JSONParser.parse(Array(#"{"a": [1, {"b": 2}], "c": 3, "same": [4]}"#.utf8))
    let new = try JSONParser.parse(Array(#"{"a": [1, {"b": 5}, 6], "d/e": 7, "same": [4]}"#.utf8))
    let lines = old.differences(from: new).map {
      "\($0.place) \($0.left?.text ?? "-") \($0.right?.text ?? "-")"
    }
    #expect(lines == ["a[1].b 2 5", "a[2] - 6", "c 3 -", "[\"d/e\"] - 7"])
  }
}
