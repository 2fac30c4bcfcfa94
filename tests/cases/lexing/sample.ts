type A<T> = { [k in keyof T]?: T[k] }; let x: number = <any>y; enum E { A = 1 }
