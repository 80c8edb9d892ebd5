// SPDX-License-Identifier: GPL-2.0-or-later

internal import DKMSCommand

DKMSCommand.main()
