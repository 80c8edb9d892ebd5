// SPDX-License-Identifier: GPL-2.0-or-later
#include <linux/init.h>
#include <linux/module.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#error "hello_world 1.2 knows no Linux after 6.1"
#endif

static int __init hello_world_init(void)
{
	pr_info("hello, old world\n");
	return 0;
}

static void __exit hello_world_exit(void)
{
	pr_info("bye\n");
}

module_init(hello_world_init);
module_exit(hello_world_exit);
MODULE_DESCRIPTION("Says hello to old kernels");
MODULE_VERSION("@PKGVER@");
MODULE_LICENSE("GPL");
