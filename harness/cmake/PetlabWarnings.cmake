# Warnings for our own targets only; headers of libraries are included as SYSTEM.
add_library(petlab_warnings INTERFACE)
add_library(petlab::warnings ALIAS petlab_warnings)
target_compile_options(petlab_warnings INTERFACE
  -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor -Wold-style-cast
  -Woverloaded-virtual -Werror)
