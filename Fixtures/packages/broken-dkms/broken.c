// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/init.h>
#include <linux/module.h>

static int __init broken_init(void)
{
	return function_nobody_declared();
}

module_init(broken_init);
MODULE_DESCRIPTION("Never builds");
MODULE_VERSION("1.0");
MODULE_LICENSE("GPL");
