// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSCommand
internal import Glibc

exit(await DKMSCommand.main(arguments: Array(CommandLine.arguments.dropFirst())))
