// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc
internal import HookKit

exit(await RemoveHook.main())
