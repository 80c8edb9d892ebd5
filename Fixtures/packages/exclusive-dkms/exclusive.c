// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/init.h>
#include <linux/module.h>

static int __init exclusive_init(void)
{
	pr_info("exclusive: loaded\n");
	return 0;
}

static void __exit exclusive_exit(void)
{
	pr_info("exclusive: gone\n");
}

module_init(exclusive_init);
module_exit(exclusive_exit);
MODULE_DESCRIPTION("For Linux 6.1");
MODULE_VERSION("1.0");
MODULE_LICENSE("GPL");
