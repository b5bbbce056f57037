// A shared library that is no plugin.
extern "C" __attribute__((visibility("default"))) int petlab_something_else() {
  return 0;
}
