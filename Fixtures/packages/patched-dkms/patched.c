// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/init.h>
#include <linux/module.h>

static int __init patched_init(void)
{
	return fix_me();
}

static void __exit patched_exit(void)
{
}

module_init(patched_init);
module_exit(patched_exit);
MODULE_DESCRIPTION("Builds once patched");
MODULE_VERSION("1.4");
MODULE_LICENSE("GPL");
