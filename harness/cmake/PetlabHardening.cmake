# What makes a mistake end the program instead of letting somebody's file go on with it: bounds of the
# standard library's containers and of libc's functions, a guard before return addresses, a table of
# functions that nobody can write to once the program runs.
# Release builds alone: others have sanitizers or -O0, with which _FORTIFY_SOURCE does nothing.
add_compile_definitions($<$<CONFIG:Release>:_GLIBCXX_ASSERTIONS>)
add_compile_options("$<$<CONFIG:Release>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2;-fstack-protector-strong>")
add_link_options(LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack)
