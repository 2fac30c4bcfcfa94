for f in *.py; do echo "${f%.py} $(ls | wc -l)"; done # 끝
cat <<EOF
$x
EOF
if [[ -z $1 ]]; then :; fi
