// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/init.h>
#include <linux/module.h>

static int __init hello_world_init(void)
{
	pr_info("hey\n");
	return 0;
}

static void __exit hello_world_exit(void)
{
	pr_info("bye\n");
}

module_init(hello_world_init);
module_exit(hello_world_exit);
MODULE_DESCRIPTION("Says hello");
MODULE_VERSION("@PKGVER@");
MODULE_LICENSE("GPL");
