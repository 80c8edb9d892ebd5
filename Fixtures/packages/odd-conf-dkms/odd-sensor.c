// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/init.h>
#include <linux/module.h>

static int __init odd_sensor_init(void)
{
	pr_info("odd_sensor: loaded\n");
	return 0;
}

static void __exit odd_sensor_exit(void)
{
	pr_info("odd_sensor: gone\n");
}

module_init(odd_sensor_init);
module_exit(odd_sensor_exit);
MODULE_DESCRIPTION("Second of two");
MODULE_VERSION("0.3");
MODULE_LICENSE("GPL");
