// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import Testing

@Suite struct DynamicLibraryTests {
  private typealias Absolute = @convention(c) (CInt) -> CInt
  private static let missing = "libalpm-dkms-nowhere.so.1"

  @Test func theFirstThatIsThere() throws {
    let absolute: Absolute = try DynamicLibrary.first(of: [Self.missing, "libc.so.6"]) {
      library throws(DynamicLibrary.LoadFailure) in try library.function("abs")
    }
    #expect(absolute(-3) == 3)
  }

  @Test func theLoaderSaysWhatIsMissing() {
    let missing = #expect(throws: DynamicLibrary.LoadFailure.self) {
      _ = try DynamicLibrary(soname: Self.missing)
    }
    #expect(missing?.description.contains(Self.missing) == true)
    let incomplete = #expect(throws: DynamicLibrary.LoadFailure.self) {
      let _: Absolute = try DynamicLibrary(soname: "libc.so.6").function("alpm_dkms_nowhere")
    }
    #expect(incomplete?.description.contains("alpm_dkms_nowhere") == true)
  }
}
