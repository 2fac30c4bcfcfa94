const a = `x ${b ? /re[/]x/g : 1n} y`; // c
class A { #p = async () => await 1 }
/* open
x = a / b / c
