// SPDX-License-Identifier: GPL-2.0-or-later

internal import Hooks

InitramfsHook.main(arguments: Array(CommandLine.arguments.dropFirst()))
