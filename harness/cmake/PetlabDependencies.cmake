# System libraries: all of them are plain packages of a Linux distribution.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
find_package(SQLite3 REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
find_package(JPEG REQUIRED)
find_package(GIF 5.1 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
pkg_check_modules(RSVG REQUIRED IMPORTED_TARGET librsvg-2.0)
pkg_check_modules(CAIRO REQUIRED IMPORTED_TARGET cairo)
pkg_check_modules(WEBP REQUIRED IMPORTED_TARGET libwebp libwebpdemux)
pkg_check_modules(DUKTAPE REQUIRED IMPORTED_TARGET duktape)
pkg_check_modules(HWY REQUIRED IMPORTED_TARGET libhwy)
# The client library of PostgreSQL, since it has pipelines. Not optional: it is small and every
# distribution has it, and a petlab without it could not open the stores of others.
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq>=14)
