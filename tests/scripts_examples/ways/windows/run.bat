@echo off
rem the same from the old server
set DW=jdbc:sqlite:C:\etl\dw.db
jrunner -scu jdbc:sqlite:C:\etl\shop.db -sq pull.sql -dcu %DW% -dt stage_orders -c
