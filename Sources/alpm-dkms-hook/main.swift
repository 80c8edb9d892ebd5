// SPDX-License-Identifier: GPL-2.0-or-later

internal import Hooks

HelperProgram.main()
