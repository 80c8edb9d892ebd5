// SPDX-License-Identifier: GPL-2.0-or-later
/* The module that comes with the kernel; noauto-dkms brings a newer one of the same name. */
#include <linux/module.h>

static int __init pulse_init(void)
{
	pr_info("pulse: the kernel's own\n");
	return 0;
}

static void __exit pulse_exit(void)
{
}

module_init(pulse_init);
module_exit(pulse_exit);
MODULE_INFO(intree, "Y");
MODULE_DESCRIPTION("Pulse, as the kernel ships it");
MODULE_VERSION("1.0");
MODULE_LICENSE("GPL");
