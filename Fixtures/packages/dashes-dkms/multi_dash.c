// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/init.h>
#include <linux/module.h>

static int __init multi_dash_init(void)
{
	pr_info("multi_dash: loaded\n");
	return 0;
}

static void __exit multi_dash_exit(void)
{
	pr_info("multi_dash: gone\n");
}

module_init(multi_dash_init);
module_exit(multi_dash_exit);
MODULE_DESCRIPTION("Dashes wherever they may be");
MODULE_VERSION("2.0-rc-1-x");
MODULE_LICENSE("GPL");
