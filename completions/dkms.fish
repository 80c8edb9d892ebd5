# SPDX-License-Identifier: GPL-2.0-or-later
#
# Completion of dkms for fish. It reads the trees. What it offers depends on the action, the module and the trees that
# the line names before the cursor. A name that a shell would have to quote is not offered.

function __dkms_is_plain --argument-names name
    string match -qr '^[[:alnum:]_][[:alnum:]._+:@~-]*\z' -- $name
end

# --- The line

function __dkms_take --argument-names option value
    switch $option
        case -m --module
            set -l parts (string split -m 1 / -- $value)
            set __dkms_module $parts[1]
            set -q parts[2] && set __dkms_version $parts[2]
        case -v
            set __dkms_version $value
        case --dkmstree
            set __dkms_tree (string replace -r '^~/' ~/ -- $value)
        case --sourcetree
            set __dkms_source_tree (string replace -r '^~/' ~/ -- $value)
        case --installtree
            set __dkms_install_tree (string replace -r '^~/' ~/ -- $value)
    end
end

# Finds the action, the module and the trees.
function __dkms_parse
    set -g __dkms_action
    set -g __dkms_module
    set -g __dkms_version
    set -g __dkms_tree /var/lib/dkms
    set -g __dkms_source_tree /usr/src
    set -g __dkms_install_tree /usr/lib/modules
    set -l valued (__dkms_valued)
    set -l actions (__dkms_actions)
    set -l asked
    for word in (commandline -opc)[2..]
        if set -q asked[1]
            __dkms_take $asked $word
            set asked
        else if string match -q -- '--*=*' $word
            __dkms_take (string split -m 1 = -- $word)
        else if contains -- $word $valued
            set asked $word
        else if string match -q -- '-*' $word
            continue
        else if contains -- $word $actions
            set __dkms_action $word
        else if test -z "$__dkms_module"
            __dkms_take -m $word
        end
    end
    __dkms_choose
end

# Is the action one of these, or still open?
function __dkms_does
    __dkms_parse
    test -z "$__dkms_action" || contains -- $__dkms_action $argv
end

function __dkms_wants_action
    __dkms_parse
    test -z "$__dkms_action"
end

# Is the word beside the action to come, and is it one of these?
function __dkms_wants
    __dkms_parse
    test -n "$__dkms_action" -a -z "$__dkms_module" && contains -- $__dkms_operand $argv
end

# Has the value at the cursor a slash?
function __dkms_goes_on
    commandline -ct | string replace -r '^--[^=]*=' '' | string match -q '*/*'
end

# --- The trees

# Prints the modules that are registered, or only those that are `sound`, as NAME/VERSION.
function __dkms_registered --argument-names kind
    for directory in $__dkms_tree/*/*/
        set -l id (string split -r -m 3 / -- $directory)[2..3]
        set directory $__dkms_tree/$id[1]/$id[2]
        test ! -L $directory && __dkms_is_plain $id[1] && __dkms_is_plain $id[2] || continue
        # A module whose source is gone is there to be removed, and good for nothing else.
        test -d $directory/source/ -o -d $__dkms_source_tree/$id[1]-$id[2]
        or test "$kind" != sound -a -L $directory/source
        and string join / -- $id
    end
end

# Prints the builds, or only those that are `installed`, as NAME/VERSION/KERNEL/ARCH.
function __dkms_built --argument-names kind
    for id in (__dkms_registered)
        set -l name (string split / -- $id)[1]
        for module in $__dkms_tree/$id/*/*/module/
            set -l kernel (string split -r -m 4 / -- $module)[2..3]
            string match -qr '^[0-9]' -- $kernel[1] && __dkms_is_plain $kernel[1] && __dkms_is_plain $kernel[2]
            or continue
            test "$kind" != installed
            or test $__dkms_tree/$name/kernel-$kernel[1]-$kernel[2] -ef $__dkms_tree/$id/$kernel[1]/$kernel[2]
            and string join / -- $id $kernel
        end
    end
end

# Prints the modules that have a source, as NAME/VERSION. Only dkms.conf knows where in the name of its directory the
# version begins.
function __dkms_sources
    for conf in $__dkms_source_tree/*/dkms.conf
        test -f $conf -a -r $conf || continue
        set -l directory (string split -r -m 2 / -- $conf)[2]
        set -l name (string match -rg '^\s*(?:export\s+)?PACKAGE_NAME=["\']?([^"\'\s;]+)["\']?(?:[\s;]|$)' < $conf)[1]
        __dkms_is_plain "$name" || continue
        set -l rest (string replace -- $name- '' $directory)
        test $directory = $name-$rest && __dkms_is_plain $rest && echo $name/$rest
    end
end

# --- What is offered

# Prints the modules that the action may be meant for, as NAME/VERSION.
function __dkms_modules
    __dkms_parse
    switch $__dkms_operand
        case registered
            __dkms_registered
        case sound
            __dkms_registered sound
        case built
            __dkms_built | string replace -r '/[^/]*/[^/]*$' ''
        case installed installed_name
            __dkms_built installed | string replace -r '/[^/]*/[^/]*$' ''
        case '*'
            set -l registered (__dkms_registered)
            for id in (__dkms_sources)
                contains -- $id $registered || echo $id
            end
            test $__dkms_operand = source || __dkms_registered sound
    end
end

function __dkms_names
    if __dkms_goes_on
        __dkms_modules
    else
        __dkms_modules | string replace -r '/.*' ''
    end
end

function __dkms_versions
    __dkms_modules | string replace -rf '^'(string escape --style=regex -- "$__dkms_module")'/' ''
end

# Prints the kernels, or with a slash the kernels and architectures, of the builds that are piped in.
function __dkms_kernels_of
    while read -l build
        set -l parts (string split / -- $build)
        test -z "$__dkms_module" -o "$__dkms_module" = $parts[1] || continue
        test -z "$__dkms_version" -o "$__dkms_version" = $parts[2] || continue
        __dkms_goes_on && echo $parts[3]/$parts[4] || echo $parts[3]
    end
end

function __dkms_kernels
    __dkms_parse
    switch $__dkms_kernel_choice
        case installed
            __dkms_built installed | __dkms_kernels_of
        case built
            __dkms_built | __dkms_kernels_of
        case '*'
            for directory in $__dkms_install_tree/*/
                set -l kernel (string split -r -m 2 / -- $directory)[2]
                test -e $directory/modules.order -o -e $directory/kernel && __dkms_is_plain $kernel || continue
                __dkms_goes_on && echo $kernel/(uname -m) || echo $kernel
            end
    end
end

function __dkms_template_kernels
    __dkms_parse
    __dkms_built installed | __dkms_kernels_of
end

function __dkms_architectures
    __dkms_parse
    uname -m
    __dkms_built | string replace -r '.*/' ''
end

# Prints the files that may be there to add, and the directories on the way to them.
function __dkms_paths
    complete -C "__dkms_no_such_command "(commandline -ct) |
        string match -r '.*(?:/|dkms\.conf|\.tar|\.tar\.\w+|\.t(?:gz|bz2|xz))$'
end

complete -c dkms -f

complete -c dkms -n '__dkms_wants source available registered sound built installed' -a '(__dkms_modules)'
complete -c dkms -n '__dkms_wants installed_name' -a '(__dkms_names)'
complete -c dkms -n '__dkms_wants source' -a '(__dkms_paths)'
complete -c dkms -n '__dkms_wants file' -F

# >>> tables (make pages writes what stands here, from the tables of dkms)
function __dkms_actions
    string join \n -- add build install uninstall unbuild remove status autoinstall match mktarball ldtarball \
        generate_mok kernel_preinst kernel_postinst kernel_prerm
end

function __dkms_valued
    string join \n -- -m --module -v -k --kernelver -a --arch --templatekernel -j -c --directive --config \
        --kernelsourcedir --dkmstree --sourcetree --installtree --archive
end

# What the word beside the action, and the value of -k, may be.
function __dkms_choose
    switch "$__dkms_action"
        case add
            set -g __dkms_operand source
            set -g __dkms_kernel_choice present
        case build install
            set -g __dkms_operand available
            set -g __dkms_kernel_choice present
        case uninstall
            set -g __dkms_operand installed
            set -g __dkms_kernel_choice installed
        case unbuild
            set -g __dkms_operand built
            set -g __dkms_kernel_choice built
        case remove status
            set -g __dkms_operand registered
            set -g __dkms_kernel_choice built
        case autoinstall generate_mok kernel_preinst kernel_postinst kernel_prerm
            set -g __dkms_operand nothing
            set -g __dkms_kernel_choice present
        case match
            set -g __dkms_operand installed_name
            set -g __dkms_kernel_choice present
        case mktarball
            set -g __dkms_operand sound
            set -g __dkms_kernel_choice built
        case ldtarball
            set -g __dkms_operand file
            set -g __dkms_kernel_choice present
        case '*'
            set -g __dkms_operand available
            set -g __dkms_kernel_choice present
    end
end

complete -c dkms -n __dkms_wants_action -a add -d 'Register a module whose source is in /usr/src/MODULE-VERSION, or bring it there'
complete -c dkms -n __dkms_wants_action -a build -d 'Build it for a kernel'
complete -c dkms -n __dkms_wants_action -a install -d 'Build it if need be, and put it into the kernel\'s module directory'
complete -c dkms -n __dkms_wants_action -a uninstall -d 'Take it out of the kernel\'s module directory'
complete -c dkms -n __dkms_wants_action -a unbuild -d 'Uninstall it and forget what was built'
complete -c dkms -n __dkms_wants_action -a remove -d 'Unbuild it, and unregister the module with its last build'
complete -c dkms -n __dkms_wants_action -a status -d 'List the modules and the kernels they are built or installed for'
complete -c dkms -n __dkms_wants_action -a autoinstall -d 'Install the newest version of each module that wants it'
complete -c dkms -n __dkms_wants_action -a match -d 'Install for a kernel what another one has'
complete -c dkms -n __dkms_wants_action -a mktarball -d 'Write a module\'s source, and what was built from it, to a tarball'
complete -c dkms -n __dkms_wants_action -a ldtarball -d 'Register the module of a tarball, with what was built from it'
complete -c dkms -n __dkms_wants_action -a generate_mok -d 'Make the key and the certificate that modules are signed with'
complete -c dkms -n __dkms_wants_action -a kernel_preinst -d 'Forget what was built for a kernel that is reinstalled'
complete -c dkms -n __dkms_wants_action -a kernel_postinst -d 'The same as autoinstall'
complete -c dkms -n __dkms_wants_action -a kernel_prerm -d 'Forget what was built for a kernel that is removed'

complete -c dkms -n '__dkms_does add build install uninstall unbuild remove status match mktarball' -s m \
    -l module -x -a '(__dkms_names)' -d 'The module, instead of a bare MODULE/VERSION'
complete -c dkms -n '__dkms_does add build install uninstall unbuild remove status match mktarball' -s v -x \
    -a '(__dkms_versions)' -d 'The module\'s version'
complete -c dkms \
    -n '__dkms_does build install uninstall unbuild remove status autoinstall match mktarball kernel_preinst kernel_postinst kernel_prerm' \
    -s k -l kernelver -x -a '(__dkms_kernels)' -d 'The kernel; by default the running one'
complete -c dkms \
    -n '__dkms_does build install uninstall unbuild remove status autoinstall match mktarball kernel_preinst kernel_postinst kernel_prerm' \
    -s a -l arch -x -a '(__dkms_architectures)' -d 'Its architecture, for one or for every -k'
complete -c dkms -n '__dkms_does build install uninstall unbuild remove mktarball' -l all \
    -d 'Every kernel it is built for; build, install: every kernel there is'
complete -c dkms -n '__dkms_does match' -l templatekernel -x -a '(__dkms_template_kernels)' \
    -d 'The kernel to go by'
complete -c dkms -n '__dkms_does add build install remove autoinstall match ldtarball kernel_postinst' \
    -l force -d 'Do it again, or in spite of what stands in the way'
complete -c dkms -n '__dkms_does install autoinstall match kernel_postinst' -l force-version-override \
    -d 'Install it even if the kernel has a newer one'
complete -c dkms \
    -n '__dkms_does add build install uninstall unbuild remove autoinstall match mktarball ldtarball generate_mok kernel_preinst kernel_postinst kernel_prerm' \
    -l dry-run -d 'Print what would be done, and do nothing'
complete -c dkms -n '__dkms_does build install autoinstall match kernel_postinst' -s j -x \
    -d 'Jobs at once; 0: no limit'
complete -c dkms -n '__dkms_does add build install mktarball' -s c -r -F \
    -d 'A dkms.conf instead of the module\'s own'
complete -c dkms -n '__dkms_does add build install autoinstall match kernel_postinst' -l directive -x \
    -d 'A value that overrides every dkms.conf'
complete -c dkms -n '__dkms_does build install autoinstall match kernel_postinst' -l config -r -F \
    -d 'The kernel\'s configuration, if elsewhere'
complete -c dkms -n '__dkms_does build install autoinstall match kernel_postinst' -l kernelsourcedir -x \
    -a '(__fish_complete_directories)' -d 'The kernel\'s headers, if elsewhere'
complete -c dkms -l dkmstree -x -a '(__fish_complete_directories)' -d 'Instead of /var/lib/dkms'
complete -c dkms -l sourcetree -x -a '(__fish_complete_directories)' -d 'Instead of /usr/src'
complete -c dkms -l installtree -x -a '(__fish_complete_directories)' -d 'Instead of /usr/lib/modules'
complete -c dkms -n '__dkms_does add mktarball ldtarball' -l archive -r -F \
    -d 'The tarball to write or to load'
complete -c dkms -n '__dkms_does mktarball' -l source-only -d 'Without what was built'
complete -c dkms -n '__dkms_does mktarball' -l binaries-only -d 'Without the source'
complete -c dkms \
    -n '__dkms_does install uninstall unbuild remove autoinstall match kernel_preinst kernel_postinst kernel_prerm' \
    -l no-depmod -d 'Leave updating modules.dep to the caller'
complete -c dkms -n '__dkms_does install autoinstall match kernel_postinst' -l symlink-modules \
    -d 'Install links to what was built, not copies'
complete -c dkms -n '__dkms_does install autoinstall match kernel_postinst' -l modprobe-on-install \
    -d 'Load what was installed for the running kernel'
complete -c dkms -n '__dkms_does add install remove' -l rpm_safe_upgrade \
    -d 'A package manager adds the new version before it removes the old'
complete -c dkms -n '__dkms_does status' -l json -d 'Print JSON for programs, with more than the text says'
complete -c dkms -s q -l quiet -d 'Print nothing'
complete -c dkms -l verbose -l debug -d 'Print which programs are run'
complete -c dkms -s V -l version -d 'The version of dkms that scripts find here, and our own'
complete -c dkms -s h -l help -d 'Print the actions and options'
# <<<
