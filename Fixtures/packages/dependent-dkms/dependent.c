// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/init.h>
#include <linux/module.h>

static int __init dependent_init(void)
{
	pr_info("dependent: loaded\n");
	return 0;
}

static void __exit dependent_exit(void)
{
	pr_info("dependent: gone\n");
}

module_init(dependent_init);
module_exit(dependent_exit);
MODULE_DESCRIPTION("Wants hello_world first");
MODULE_VERSION("1.0");
MODULE_LICENSE("GPL");
