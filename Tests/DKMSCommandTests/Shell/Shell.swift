// SPDX-License-Identifier: GPL-2.0-or-later

import Host
import SystemPackage
import TestSupport
import Testing

/// A shell that is asked what Tab would offer.
///
/// It is the real one, with its own line editor and completion system, and it writes down what it puts into the line
/// when asked for everything that fits.
enum Shell: String, CaseIterable, Sendable, CustomTestStringConvertible {
  case bash, fish, zsh

  var testDescription: String { rawValue }

  /// What is offered for the last word of each line, sorted.
  ///
  /// - Parameters:
  ///   - lines: Command lines, up to the cursor.
  ///   - directory: Where the shell stands.
  ///   - machine: The machine to ask on, if it is not this one.
  /// - Returns: The words, without their option and without the slash of a directory: shells differ in that.
  /// - Throws: `NoAnswer`, or what kept the shell from starting.
  func offers(for lines: [String], in directory: FilePath = "/", on machine: MountedMachine? = nil)
    async throws
    -> [[String]]
  {
    let scratch = try TemporaryDirectory()
    try scratch.write(startup, to: self == .zsh ? ".zshrc" : "startup")
    try scratch.write(lines.map { "\($0)\n" }.joined(), to: "lines")
    // Escape and star ask readline for everything that fits.
    try scratch.write(lines.map { "\($0)\u{1B}*\u{18}\u{12}" }.joined(), to: "keys")
    let arguments = [TestParts.repository.string, scratch.path.string, directory.string]
    let run =
      if let machine {
        try await machine.shell(call, arguments)
      } else {
        try await Run.program("/bin/bash", ["-c", call, "bash"] + arguments)
      }
    let answers = Disk.text(scratch.path.appending("answers"))?.split(separator: "\n") ?? []
    guard answers.count == lines.count else { throw NoAnswer(run: run) }
    return zip(lines, answers).map(Self.offers)
  }

  /// The same for one line.
  func offers(for line: String, in directory: FilePath = "/", on machine: MountedMachine? = nil) async throws
    -> [String]
  {
    try await offers(for: [line], in: directory, on: machine)[0]
  }

  private static func offers(for line: String, in answer: Substring) -> [String] {
    let head = line.prefix(through: line.lastIndex(of: " ") ?? line.startIndex)
    let typed = line.dropFirst(head.count)
    let words = answer.replacing("\\", with: "").dropFirst(head.count).split(separator: " ")
    if words == [typed] { return [] }
    let option = typed.hasPrefix("--") ? typed.firstIndex(of: "=").map { typed[...$0] } : nil
    return words.map { word in
      let value = option.map { word.hasPrefix($0) ? word.dropFirst($0.count) : word } ?? word
      return String(["/", "="].contains(where: value.hasSuffix) ? value.dropLast() : value)
    }.sorted()
  }

  /// The shell ended and told nothing.
  struct NoAnswer: Error, CustomStringConvertible {
    let run: Run
    var description: String { "no answer: \(run)" }
  }

  // MARK: Scripts

  private var call: String {
    #"export COMPLETIONS=$1/completions SCRATCH=$2 HOME=$2 TERM=dumb; cd "$3"; "# + start
  }

  private var start: String {
    switch self {
    case .bash: #"bash --rcfile "$SCRATCH/startup" -i < "$SCRATCH/keys""#
    case .fish: #"fish --no-config "$SCRATCH/startup""#
    // Its editor works on a terminal only, which script provides.
    case .zsh: #"ZDOTDIR=$SCRATCH script -qec 'zsh -i' /dev/null < /dev/null"#
    }
  }

  private var startup: String {
    switch self {
    case .bash:
      #"""
      source "$COMPLETIONS/dkms.bash"
      report() { printf '%s\n' "$READLINE_LINE" >> "$SCRATCH/answers"; READLINE_LINE=; }
      bind -x '"\C-x\C-r": report'
      PATH=
      """#
    case .fish:
      #"""
      set fish_complete_path $COMPLETIONS
      for line in (cat $SCRATCH/lines)
        set -l offers (complete -C $line | string replace -r '\t.*' '')
        set -l head (string replace -r '[^ ]*$' '' -- $line)
        string join ' ' -- "$head$offers[1]" $offers[2..] >> $SCRATCH/answers
      end
      """#
    case .zsh:
      #"""
      fpath=("$COMPLETIONS" $fpath)
      autoload -Uz compinit && compinit -D -u
      everything() { _main_complete; compstate[insert]=all compstate[list]=; }
      zle -C everything complete-word everything
      zle-line-init() {
        path=()
        for BUFFER in ${(f)"$(<$SCRATCH/lines)"}; do
          CURSOR=$#BUFFER
          zle everything
          print -r -- $BUFFER >> $SCRATCH/answers
        done
        exit
      }
      zle -N zle-line-init
      """#
    }
  }
}
