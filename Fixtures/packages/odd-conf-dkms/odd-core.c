// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/init.h>
#include <linux/module.h>

static int __init odd_core_init(void)
{
	pr_info("odd_core: loaded\n");
	return 0;
}

static void __exit odd_core_exit(void)
{
	pr_info("odd_core: gone\n");
}

module_init(odd_core_init);
module_exit(odd_core_exit);
MODULE_DESCRIPTION("First of two");
MODULE_VERSION("0.3");
MODULE_LICENSE("GPL");
