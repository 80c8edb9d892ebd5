// SPDX-License-Identifier: GPL-2.0-or-later

import Testing

@testable import DKMSEngine

/// Which files are read without a shell.
@Suite struct PlainFileTests {
  private func variables(_ text: String) -> Variables? {
    try? PlainEvaluator.evaluate(
      [Array(text.utf8)], reading: ["A", "B", "MAKE"],
      environment: ["kernelver": "6.1", "kernel_source_dir": "/usr/lib/modules/6.1/build", "module": ""])
  }

  static let plain = [
    "", "\n\n", "# only a comment", "  # indented\n\t# so too\n", "A=", "A=x", "A=x\n", "A=\"\"", "A=''",
    "  A=x  ",
    "A=x B=y", "A=x; B=$A", "A=x;B=y;", "A=x # said\nB=y#not", "A=x ;# said", "A=x \\\n B=y",
    "A=x \\\n# said\nB=y",
    "A=one\\\ntwo", "A=\"one\\\ntwo\"", "A='one\\\ntwo'", "A=\"one\ntwo\"", "A[0]=x", "A[3]=x\nA[1]=y",
    "A=x\nA[1]=y",
    "A=(x y)", "A=()", "A=x\nA=()", "A=( 'x y' \"z\" # said\n  w )\n", "A=(x)\nA+=(y z)", "A=(x\ny\n)",
    "A=('' \"\")",
    "A=(if then a=b B=c)", "A[5]=x\nA+=(y)", "A=w\nA=(x \"$A\")", "A=x\nA+=y", "A[1]+=x", "A=x\nA[0]+=y",
    "A='x\"y'",
    "A=\"x'y\"", "A='x'\"y\"z", "A='it'\\''s'", "A=\\\"x\\\"", "A=\"\\\"x\\\"\"", "B=x\nA=\"\\$B\"", "A='$A'",
    "A=x\\\\y",
    "A='x\\\\y'", "A=\"x\\y\"", "A=\\$B\nB=x", "A='${B}'\nB=\"x  y\"", "A=\"^6\\.[0-9]+$\"", "A='^(5|6$)'",
    "A=^6\\\\.1", "A=\"$\"", "A=$", "A=\"a$ b\"", "A=a$/b", "A=*.[ch]?", "A==", "A=a=b", "A=#x", "A=x!y",
    "A=$kernelver", "A=${kernelver}-x", "A=\"${kernelver[0]}\"", "A=\"${kernelver[1]}\"", "A=\"$module\"x",
    "A[2]=x\nB=$A",
    "A=x\nB=\"${A}_$A\"", "MAKE=\"make -C ${kernelver}   M=x\"", "MAKE='make V=\"1 2\"'", "A=\"  x\ty  \"",
    "MAKE=\" make  x\"", "MAKE=\"\n make\"", "MAKE=' '", "MAKE=(x '\tmake ')",
    "A=é",
    "A=x\r\nB='y'\r\n", "A=\"x\r\ny\"\r\n", "A=x\r", "A=\"x\ry\"", "A=x\\\r\ny", "A=(x\r\ny)\r\n", "A='x\r'",
    "A='x\r\r'",
    "# said\r\n\r\nA=x", "a1_=x", "A=-O2\nB='-x'", "A=HOME", "A=$module$kernelver",
    "A=\"#\"\\\"",
  ]

  @Test(arguments: plain) func isPlain(_ text: String) {
    #expect(variables(text) != nil)
  }

  @Test(arguments: [
    // Commands.
    "x", "export A=x", "declare A=x", "unset A", "A=x y", "A=x export B=y", ". more.conf", "source more.conf",
    "exit 0",
    "if true; then A=x; fi", "[ -n x ] && A=x", "A=x && B=y", "A=x | B=y", "A=x & B=y", "(A=x)", "{ A=x; }",
    "f() { A=x; }",
    "! A=x", "A=x >y", "A=x <y", "A =x", "A= x", "=x", "1A=x", "A-B=x", "\"A\"=x", "A[x]=y", "A[0]", "A",
    "A\\\n=x", "$A=x",
    // Separators without commands.
    ";", ";A=x", "A=x;;", "A=x; ;", "A=x;\n;",
    // Substitutions.
    "A=`x`", "A=\"`x`\"", "A=$(x)", "A=\"$(x)\"", "A=$((1 + 1))", "A=$[1 + 1]", "A='$(x)'", "A='`x`'",
    "A=\"\\$(x)\"",
    "A=\"\\`x\\`\"", "A=\"\\$\\(x)\"", "A=<(x)",
    // Expansions beyond values.
    "A=$'x'", "A=$\"x\"", "A=$$", "A=$1", "A=$@", "A=\"$*\"", "A=$?", "A=$!", "A=$-", "A=$#",
    "A=${kernelver:-x}",
    "A=${#kernelver}", "A=${kernelver%x}", "A=${kernelver/x/y}", "A=${!kernelver}", "A=${kernelver[@]}",
    "A=${kernelver[*]}",
    "A=${kernelver[x]}", "A=${kernelver[-1]}", "A=${}", "A=${kernelver", "A=\"$kernelver\\\nx\"",
    "A='${kernelver:-x}'",
    // Variables that only bash may know.
    "A=$nobody", "A=\"${nobody}\"", "A='$nobody'", "A=$BASH_SOURCE", "A=$RANDOM", "A=$PWD", "A=$0", "IFS=,",
    "LC_ALL=C",
    "PATH=/bin", "BASH_ENV=x", "RANDOM=1", "UID=0", "SECONDS=1", "_=x", "POSIXLY_CORRECT=1", "GLOBIGNORE=x",
    "__dkms_out=1",
    // Names of files.
    "A=~", "A=~/x", "A=x:~", "A=(*)", "A=(x?)", "A=([0-9])", "A=({x,y})", "A=(~)", "A={x,y}", "A=@(x)",
    "A=([0]=x)", "A=([3]=x y)",
    // Arrays whose elements are split.
    "A=($kernelver)", "A=(x${kernelver})", "A[0]=(x)", "A=(x;y)", "A=(x&y)", "A=(x (y))", "A=(x)y", "A=(x",
    "A=(x #)", "A+=(",
    // Indices that are calculations.
    "A[01]=x", "A[-1]=x", "A[1+1]=x", "A[kernelver]=x", "A[]=x", "A[0=x", "A[99999999999]=x", "A['0']=x",
    "A[0][1]=x",
    // What is not finished.
    "A=\"x", "A='x", "A=x\\", "A=\"x\\", "A=\"${kernelver", "A='x\\'", "A=\"x\\\\\"", "A='x\\\\\"y'",
    // Characters that are none.
    "A=x\0", "A=\0x", "A='\u{1}'", "A=\"\u{7F}\"", "A=\u{1}", "\u{FEFF}A=x", "\rA=x", "A=x \r y",
  ])
  func isNotPlain(_ text: String) {
    #expect(variables(text) == nil)
  }

  @Test(arguments: [
    ("A=x", ["x"]), ("A=\"x  $kernelver\"", ["x 6.1"]), ("A=(x 'y z')", ["x", "y z"]),
    ("A='$B'\nB=later", ["later"]),
    ("A=x\nA+=y", ["xy"]), ("A='\"x\"'", ["\"x\""]), ("A=\"x\r\n y\"\r\n", ["x y"]), ("A='^6\\.'", ["^6\\."]),
    ("A=\"x # y\" # z", ["x # y"]), ("A=x\nA=", [""]), ("A=(x)\nA=()", []),
  ])
  func values(_ text: String, _ expected: [String]) throws {
    #expect(try #require(variables(text)).array("A") == expected)
  }

  @Test func laterFilesSeeEarlierOnes() throws {
    let files = ["A=x\nB=y\n", "A=\"$A $B\"\nB[1]=z\n"].map { Array($0.utf8) }
    let variables = try PlainEvaluator.evaluate(files, reading: ["A", "B", "C"], environment: [:])
    #expect(variables == Variables(["A": [0: "x y"], "B": [0: "y", 1: "z"]]))
  }
}
