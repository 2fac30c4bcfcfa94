a: b $(C)
	@echo $< > $@
X := 1
ifeq (a,b)
endif
