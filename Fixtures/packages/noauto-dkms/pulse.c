// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/init.h>
#include <linux/module.h>

static int __init pulse_init(void)
{
	pr_info("pulse: loaded\n");
	return 0;
}

static void __exit pulse_exit(void)
{
	pr_info("pulse: gone\n");
}

module_init(pulse_init);
module_exit(pulse_exit);
MODULE_DESCRIPTION("Pulse, newer than the kernel's");
MODULE_VERSION("2.0");
MODULE_LICENSE("GPL");
