// SPDX-License-Identifier: GPL-2.0-or-later

import Testing

@testable import DKMSEngine

/// What there is to tell of work that runs.
@Suite struct RunningWorkTests {
  private let zfs = "zfs/2.3.1 for 6.12.0"
  private let hello = "hello/1.0 for 6.12.0"

  private func work(_ zfsTime: Int? = nil, _ helloTime: Int? = nil, places: Int = 2) -> RunningWork {
    RunningWork("built", expected: [zfs: zfsTime, hello: helloTime], places: places)
  }

  @Test func theLineNamesWhatRunsAndHowMuchIsDone() {
    var work = work()
    #expect(work.lines(at: .zero).isEmpty)
    work.begin(zfs, as: "zfs/2.3.1", at: .seconds(10))
    work.begin(hello, as: "hello/1.0", at: .seconds(70))
    let lines = [
      "0/2 built: zfs/2.3.1 for 6.12.0 1 min 3 s, hello/1.0 for 6.12.0 3 s",
      "0/2 built: zfs/2.3.1 1 min 3 s, hello/1.0 3 s",
      "0/2 built: zfs/2.3.1 1 min 3 s, hello/1.0 3 s",
    ]
    #expect(work.lines(at: .seconds(73)) == lines)
    #expect(work.end(hello, at: .seconds(75)) == .seconds(5))
    #expect(work.lines(at: .seconds(75)).first == "1/2 built: zfs/2.3.1 for 6.12.0 1 min 5 s")
    #expect(work.end(zfs, at: .seconds(80)) == .seconds(70))
    #expect(work.lines(at: .seconds(80)).isEmpty)
  }

  @Test func whatIsLeftIsEstimatedFromEarlierTimes() {
    var work = work(100, 20)
    work.begin(zfs, as: "zfs/2.3.1", at: .zero)
    #expect(work.lines(at: .seconds(30))[0].hasPrefix("0/2 built, about 1 min 10 s left: zfs/2.3.1 for"))
    #expect(work.lines(at: .seconds(30))[2] == "0/2 built: zfs/2.3.1 30 s")
    var alone = self.work(100, 20, places: 1)
    alone.begin(zfs, as: "zfs/2.3.1", at: .zero)
    #expect(alone.lines(at: .seconds(30))[0].hasPrefix("0/2 built, about 1 min 30 s left: "))
    #expect(alone.lines(at: .seconds(500))[0].hasPrefix("0/2 built, about 20 s left: "))
    _ = alone.end(hello, at: .seconds(500))
    #expect(alone.lines(at: .seconds(500))[0].hasPrefix("1/2 built: "), "it has taken longer than ever")
  }

  @Test func nothingIsEstimatedWhereATimeIsUnknown() {
    var work = work(100, nil)
    work.begin(zfs, as: "zfs/2.3.1", at: .zero)
    #expect(work.lines(at: .zero)[0] == "0/2 built: zfs/2.3.1 for 6.12.0 0 s")
    _ = work.end(hello, at: .zero)
    #expect(work.lines(at: .zero)[0] == "1/2 built, about 1 min 40 s left: zfs/2.3.1 for 6.12.0 0 s")
  }

  @Test func eachMinuteIsToldOnce() {
    var work = work()
    work.begin(zfs, as: "zfs/2.3.1", at: .seconds(5))
    work.begin(hello, as: "hello/1.0", at: .seconds(30))
    #expect(work.minutes(at: .seconds(64)).isEmpty)
    #expect(work.minutes(at: .seconds(65)).map(\.subject) == [zfs])
    #expect(work.minutes(at: .seconds(66)).isEmpty)
    let late = work.minutes(at: .seconds(207))
    #expect(late.map(\.duration) == [.seconds(202), .seconds(177)] && late.map(\.subject) == [zfs, hello])
    #expect(work.minutes(at: .seconds(209)).isEmpty)
  }

  @Test func whatNeverBeganIsDoneAllTheSame() {
    var work = work()
    #expect(work.end(hello, at: .seconds(1)) == nil)
    work.begin(zfs, as: "zfs/2.3.1", at: .seconds(1))
    #expect(work.lines(at: .seconds(1))[1] == "1/2 built: zfs/2.3.1 0 s")
  }
}
