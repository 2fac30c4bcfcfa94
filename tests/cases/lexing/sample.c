#include <stdio.h>
int main(void) { char *s = "a\n"; return 0x1UL; } /* x */ // y
#if 0
no
#endif
